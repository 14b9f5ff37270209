import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode } from '@ottla/protocol'
import { Group } from '../../src/groups/group.ts'
import { GroupConfigs } from '../../src/groups/configs.ts'
import {
  checkConsumerHeartbeat,
  consumerHeartbeat,
  type ConsumerHeartbeat,
} from '../../src/groups/consumer-heartbeat.ts'
import { byTopic, keysOf, partitionKey } from '../../src/groups/partition-set.ts'
import { GroupRefusal } from '../../src/groups/refusal.ts'
import { TopicStore } from '../../src/topics/topics.ts'
import { FakeClock } from '../fake-clock.ts'

const SESSION_MS = 45_000
const REBALANCE_MS = 30_000

interface Told {
  readonly epoch: number
  /** Partitions by topic name; null: unchanged. */
  readonly has: Record<string, number[]> | null
}

/** A group whose members use the protocol of KIP-848. */
class Scene {
  readonly clock = new FakeClock()
  readonly topics = new TopicStore(
    () => [1],
    4,
    () => true,
  )
  readonly configs = new GroupConfigs()
  readonly group: Group

  constructor(maxSize = Infinity) {
    const { clock, topics, configs } = this
    const classic = { initialRebalanceDelayMs: 0, maxSize }
    this.group = new Group('g', { clock, topics, configs, maxSize, classic })
  }

  topic(name: string, partitions: number): string {
    return this.topics.create({ name, partitions, replicationFactor: 1 }).id
  }

  heartbeat(memberId: string, memberEpoch: number, more: Partial<ConsumerHeartbeat> = {}): Told {
    const heartbeat: ConsumerHeartbeat = {
      groupId: 'g',
      memberId,
      memberEpoch,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: memberEpoch === 0 ? REBALANCE_MS : -1,
      topics: memberEpoch === 0 ? ['t'] : null,
      regex: null,
      assignor: null,
      owned: memberEpoch === 0 ? new Set() : null,
      ...more,
    }
    checkConsumerHeartbeat(heartbeat, true)
    const client = { clientId: 'c', host: '/127.0.0.1', canDescribe: () => true }
    const output = consumerHeartbeat(this.group.asConsumer(memberEpoch === 0), heartbeat, client)
    if (output.assignment === null) return { epoch: output.memberEpoch, has: null }
    const has: Record<string, number[]> = {}
    for (const { topicId, partitions } of byTopic(output.assignment)) {
      has[this.topics.byId(topicId)?.name ?? topicId] = partitions
    }
    return { epoch: output.memberEpoch, has }
  }

  owned(topics: Record<string, readonly number[]>): Set<string> {
    return keysOf(
      Object.entries(topics).map(([name, partitions]) => ({ topicId: this.topics.get(name)?.id ?? '', partitions })),
    )
  }

  get state(): string {
    return this.group.state
  }
}

function refuses(code: number, action: () => unknown): void {
  assert.throws(action, error => error instanceof GroupRefusal && error.errorCode === code)
}

test('the first member gets everything, at epoch 2', () => {
  const scene = new Scene()
  scene.topic('t', 3)
  assert.deepEqual(scene.heartbeat('a', 0), { epoch: 2, has: { t: [0, 1, 2] } })
  assert.deepEqual(scene.heartbeat('a', 2), { epoch: 2, has: null }, 'nothing new is not told again')
  assert.equal(scene.state, 'Stable')
})

test('a second member gets its partitions when the first has given them up', () => {
  const scene = new Scene()
  scene.topic('t', 4)
  scene.heartbeat('a', 0)
  assert.deepEqual(scene.heartbeat('b', 0), { epoch: 3, has: {} })
  assert.equal(scene.state, 'Reconciling')
  const revoked = scene.heartbeat('a', 2, { owned: scene.owned({ t: [0, 1, 2, 3] }) })
  assert.deepEqual(revoked, { epoch: 2, has: { t: [0, 1] } })
  assert.deepEqual(scene.heartbeat('b', 3), { epoch: 3, has: null }, 'the first has it still')
  assert.deepEqual(scene.heartbeat('a', 2, { owned: scene.owned({ t: [0, 1] }) }), { epoch: 3, has: null })
  assert.deepEqual(scene.heartbeat('b', 3), { epoch: 3, has: { t: [2, 3] } })
  assert.equal(scene.state, 'Stable')
})

test('a member that does not give up its partitions within its rebalance timeout is fenced', () => {
  const scene = new Scene()
  scene.topic('t', 2)
  scene.heartbeat('a', 0)
  scene.heartbeat('b', 0)
  scene.heartbeat('a', 2, { owned: scene.owned({ t: [0, 1] }) })
  scene.clock.advance(REBALANCE_MS)
  refuses(ErrorCode.ERR_UNKNOWN_MEMBER_ID, () => scene.heartbeat('a', 2))
  assert.deepEqual(scene.heartbeat('b', 3), { epoch: 4, has: { t: [0, 1] } })
})

test('a member without heartbeats is fenced after the session timeout of the group', () => {
  const scene = new Scene()
  scene.topic('t', 2)
  scene.heartbeat('a', 0)
  scene.clock.advance(SESSION_MS - 1)
  scene.heartbeat('a', 2)
  scene.configs.set('g', 'consumer.session.timeout.ms', '1000')
  scene.heartbeat('a', 2)
  scene.clock.advance(1000)
  assert.equal(scene.state, 'Empty')
  refuses(ErrorCode.ERR_UNKNOWN_MEMBER_ID, () => scene.heartbeat('a', 2))
})

test('other epochs than the member’s are fenced, except the previous one after a lost response', () => {
  const scene = new Scene()
  scene.topic('t', 2)
  scene.heartbeat('a', 0)
  refuses(ErrorCode.ERR_FENCED_MEMBER_EPOCH, () => scene.heartbeat('a', 3))
  scene.heartbeat('a', 2, { topics: ['t', 'u'] })
  assert.deepEqual(scene.heartbeat('a', 2, { owned: scene.owned({ t: [0, 1] }) }), { epoch: 3, has: null })
  refuses(ErrorCode.ERR_FENCED_MEMBER_EPOCH, () => scene.heartbeat('a', 2, { owned: scene.owned({ u: [0] }) }))
  refuses(ErrorCode.ERR_FENCED_MEMBER_EPOCH, () => scene.heartbeat('a', 2))
})

test('the partitions of members that leave go to the others', () => {
  const scene = new Scene()
  scene.topic('t', 2)
  scene.heartbeat('a', 0)
  scene.heartbeat('b', 0)
  scene.heartbeat('a', -1)
  assert.deepEqual(scene.heartbeat('b', 3), { epoch: 4, has: { t: [0, 1] } })
  scene.heartbeat('b', -1)
  assert.equal(scene.state, 'Empty')
})

test('a static member gets its partitions back, while others cannot take its place', () => {
  const scene = new Scene()
  scene.topic('t', 2)
  scene.heartbeat('a', 0, { instanceId: 'i' })
  refuses(ErrorCode.ERR_UNRELEASED_INSTANCE_ID, () => scene.heartbeat('x', 0, { instanceId: 'i' }))
  assert.equal(scene.heartbeat('a', -2, { instanceId: 'i' }).epoch, -2)
  assert.deepEqual(scene.heartbeat('b', 0, { instanceId: 'i' }), { epoch: 2, has: { t: [0, 1] } })
  refuses(ErrorCode.ERR_FENCED_INSTANCE_ID, () => scene.heartbeat('a', 2, { instanceId: 'i' }))
  refuses(ErrorCode.ERR_UNKNOWN_MEMBER_ID, () => scene.heartbeat('a', 2, { instanceId: 'nobody' }))
})

test('a static member that stays away loses its partitions after the session timeout', () => {
  const scene = new Scene()
  scene.topic('t', 2)
  scene.heartbeat('a', 0, { instanceId: 'i' })
  scene.heartbeat('a', -2, { instanceId: 'i' })
  scene.clock.advance(SESSION_MS)
  assert.equal(scene.state, 'Empty')
})

test('a pattern also matches topics that are created later', () => {
  const scene = new Scene()
  scene.topic('orders-1', 1)
  scene.topic('other', 1)
  assert.deepEqual(scene.heartbeat('a', 0, { topics: null, regex: 'orders-.*' }), {
    epoch: 2,
    has: { 'orders-1': [0] },
  })
  scene.topic('orders-2', 1)
  assert.deepEqual(scene.heartbeat('a', 2), { epoch: 3, has: { 'orders-1': [0], 'orders-2': [0] } })
  refuses(ErrorCode.ERR_INVALID_REGULAR_EXPRESSION, () => scene.heartbeat('b', 0, { regex: '(' }))
})

test('more partitions and deleted topics change the assignment', () => {
  const scene = new Scene()
  scene.topic('t', 1)
  scene.heartbeat('a', 0, { topics: ['t', 'u'] })
  scene.topic('u', 1)
  assert.deepEqual(scene.heartbeat('a', 2), { epoch: 3, has: { t: [0], u: [0] } })
  const topic = scene.topics.get('u')
  assert.ok(topic !== undefined)
  scene.topics.delete(topic)
  const told = scene.heartbeat('a', 3, { owned: scene.owned({ t: [0] }) })
  assert.deepEqual(told, { epoch: 4, has: { t: [0] } })
})

test('topics that a member no longer reads are revoked at once', () => {
  const scene = new Scene()
  scene.topic('t', 1)
  scene.topic('u', 1)
  scene.heartbeat('a', 0, { topics: ['t', 'u'] })
  const told = scene.heartbeat('a', 2, { topics: ['u'], owned: scene.owned({ t: [0], u: [0] }) })
  assert.deepEqual(told, { epoch: 2, has: { u: [0] } })
  assert.deepEqual(scene.heartbeat('a', 2, { owned: scene.owned({ u: [0] }) }), { epoch: 3, has: null })
})

test('the majority of members chooses the assignor', () => {
  const scene = new Scene()
  scene.topic('t', 2)
  scene.topic('u', 2)
  const topics = ['t', 'u']
  scene.heartbeat('a', 0, { topics, assignor: 'range' })
  scene.heartbeat('b', 0, { topics, assignor: 'range' })
  const all = scene.owned({ t: [0, 1], u: [0, 1] })
  assert.deepEqual(scene.heartbeat('a', 2, { owned: all }), { epoch: 2, has: { t: [0], u: [0] } })
  refuses(ErrorCode.ERR_UNSUPPORTED_ASSIGNOR, () => scene.heartbeat('c', 0, { assignor: 'sticky' }))
})

test('a group has a maximum size, and assigns again only after its interval', () => {
  const scene = new Scene(2)
  scene.topic('t', 2)
  scene.configs.set('g', 'consumer.assignment.interval.ms', '1000')
  scene.heartbeat('a', 0)
  assert.deepEqual(scene.heartbeat('b', 0), { epoch: 2, has: {} })
  assert.equal(scene.state, 'Assigning')
  refuses(ErrorCode.ERR_GROUP_MAX_SIZE_REACHED, () => scene.heartbeat('c', 0))
  scene.clock.advance(1000)
  assert.equal(scene.heartbeat('b', 2).epoch, 3)
})

test('invalid requests are refused', () => {
  const scene = new Scene()
  scene.topic('t', 1)
  const invalid = ErrorCode.ERR_INVALID_REQUEST
  refuses(invalid, () => scene.heartbeat('', 0))
  refuses(invalid, () => scene.heartbeat('a', 0, { groupId: '' }))
  refuses(invalid, () => scene.heartbeat('a', 0, { instanceId: '' }))
  refuses(invalid, () => scene.heartbeat('a', 0, { rackId: '' }))
  refuses(invalid, () => scene.heartbeat('a', 0, { rebalanceTimeoutMs: -1 }))
  refuses(invalid, () => scene.heartbeat('a', 0, { owned: null }))
  refuses(invalid, () => scene.heartbeat('a', 0, { topics: null }))
  refuses(invalid, () => scene.heartbeat('a', -2))
  refuses(invalid, () => scene.heartbeat('a', -3))
  refuses(ErrorCode.ERR_GROUP_ID_NOT_FOUND, () => scene.heartbeat('a', 2))
})

test('a member may commit for its partitions with any epoch since their assignment', () => {
  const scene = new Scene()
  const id = scene.topic('t', 2)
  scene.topic('u', 1)
  scene.heartbeat('a', 0)
  scene.heartbeat('a', 2, { topics: ['t', 'u'] })
  const { group } = scene
  const by = (epoch: number): Parameters<Group['checkCommit']>[0] => ({ memberId: 'a', epoch, groupInstanceId: null })
  assert.equal(group.checkCommit(by(3), false), 0)
  assert.equal(group.checkCommit(by(2), false), 0)
  assert.equal(group.checkCommitFor(by(2), false, id, 0), 0)
  const other = scene.topics.get('u')?.id ?? ''
  assert.equal(group.checkCommitFor(by(2), false, other, 0), ErrorCode.ERR_STALE_MEMBER_EPOCH)
  assert.equal(group.checkCommit(by(4), false), ErrorCode.ERR_STALE_MEMBER_EPOCH)
  assert.equal(group.checkCommit(by(4), true), ErrorCode.ERR_ILLEGAL_GENERATION)
  assert.equal(group.checkCommit(by(3), false, 8), ErrorCode.ERR_UNSUPPORTED_VERSION)
  assert.equal(group.checkCommit({ ...by(3), memberId: 'x' }, false), ErrorCode.ERR_UNKNOWN_MEMBER_ID)
  assert.equal(group.checkFetch('a', 2), ErrorCode.ERR_STALE_MEMBER_EPOCH)
  assert.equal(group.checkFetch('a', 3), 0)
  assert.equal(group.checkFetch(null, -1), 0)
  assert.ok(group.isSubscribedTo('u') && !group.isSubscribedTo('v'))
  assert.equal(partitionKey(id, 1), `${id}/1`)
})
