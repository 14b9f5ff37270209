import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode } from '@ottla/protocol'
import { GroupConfigs } from '../../src/groups/configs.ts'
import { GroupRefusal } from '../../src/groups/refusal.ts'
import { ShareGroup, checkShareHeartbeat, type ShareHeartbeat } from '../../src/groups/share.ts'
import { TopicStore, type Topic } from '../../src/topics/topics.ts'
import { batchOf } from '../batches.ts'
import { FakeClock } from '../fake-clock.ts'

const SESSION_MS = 45_000
const options = {
  leaderEpoch: 0,
  maxMessageBytes: 10_000,
  codec: null,
  strictSequences: false,
  logAppendTime: null,
  needsKeys: false,
  oldestTimestamp: -Infinity,
  newestTimestamp: Infinity,
}

class Scene {
  readonly clock = new FakeClock()
  readonly configs = new GroupConfigs()
  readonly topics = new TopicStore(
    () => [1],
    1,
    () => true,
  )
  readonly group: ShareGroup

  constructor() {
    const { clock, configs, topics } = this
    this.group = new ShareGroup('g', { clock, configs, topics, maxSize: Infinity })
  }

  topic(name: string, partitions = 1): Topic {
    return this.topics.create({ name, partitions, replicationFactor: 1 })
  }

  /** @returns the member's epoch and the number of its partitions, null if the response has none */
  heartbeat(memberId: string, memberEpoch: number, topics: string[] | null = null): [number, number | null] {
    const heartbeat = { groupId: 'g', memberId, memberEpoch, rackId: null, topics }
    const output = this.group.heartbeat(heartbeat, { clientId: 'c', host: '/h', canDescribe: () => true })
    return [output.memberEpoch, output.assignment?.size ?? null]
  }
}

function refuses(code: number, action: () => unknown): void {
  assert.throws(action, error => error instanceof GroupRefusal && error.errorCode === code)
}

test('an assignment is only sent when it changes', () => {
  const scene = new Scene()
  scene.topic('t', 2)
  assert.deepEqual(scene.heartbeat('a', 0, ['t']), [2, 2])
  assert.deepEqual(scene.heartbeat('a', 2), [2, null])
  assert.deepEqual(scene.heartbeat('b', 0, ['t']), [3, 1])
  assert.deepEqual(scene.heartbeat('a', 2), [3, 1])
  assert.deepEqual(scene.heartbeat('a', 3), [3, null])
})

test('a member may repeat its previous epoch once it has missed a response, but no older one', () => {
  const scene = new Scene()
  scene.topic('t')
  scene.heartbeat('a', 0, ['t'])
  scene.heartbeat('b', 0, ['t'])
  assert.equal(scene.heartbeat('a', 2)[0], 3)
  assert.equal(scene.heartbeat('a', 2)[0], 3)
  refuses(ErrorCode.ERR_FENCED_MEMBER_EPOCH, () => scene.heartbeat('a', 1))
  refuses(ErrorCode.ERR_FENCED_MEMBER_EPOCH, () => scene.heartbeat('a', 4))
  refuses(ErrorCode.ERR_UNKNOWN_MEMBER_ID, () => scene.heartbeat('x', 1))
})

test('a member without heartbeats leaves the group when its session expires', () => {
  const scene = new Scene()
  scene.topic('t', 2)
  scene.heartbeat('a', 0, ['t'])
  const [epoch] = scene.heartbeat('b', 0, ['t'])
  scene.clock.advance(SESSION_MS - 1)
  scene.heartbeat('b', epoch)
  scene.clock.advance(1)
  assert.deepEqual([...scene.group.members.keys()], ['b'])
  assert.equal(scene.heartbeat('b', epoch)[1], 2)
  scene.heartbeat('b', -1)
  assert.deepEqual([scene.group.state, scene.clock.pending], ['Empty', 0])
})

test('a partition starts where the group’s configuration says, and then keeps its place', () => {
  const scene = new Scene()
  const { id, partitions } = scene.topic('t')
  const partition = partitions[0] ?? assert.fail('there is no partition')
  partition.log.append(batchOf(2, {}, scene.clock.now() - 10_000), options)
  partition.log.append(batchOf(2, {}, scene.clock.now() - 1000), options)
  const startWith = (reset: string): number => {
    scene.configs.set('g', 'share.auto.offset.reset', reset)
    scene.group.forget(id)
    return scene.group.partition(id, partition).startOffset
  }
  assert.equal(startWith('earliest'), 0)
  assert.equal(startWith('latest'), 4)
  assert.equal(startWith('by_duration:PT5S'), 2)
  assert.equal(startWith('by_duration:PT0.5S'), 4)
  scene.group.begin(id, partition, 1)
  assert.equal(scene.group.partition(id, partition).startOffset, 1)
  partition.log.deleteBefore(2)
  assert.equal(scene.group.partition(id, partition).startOffset, 2, 'the start of the log')
})

test('heartbeats that are not valid are refused whatever the group', () => {
  const valid: ShareHeartbeat = { groupId: 'g', memberId: 'm', memberEpoch: 0, rackId: null, topics: ['t'] }
  checkShareHeartbeat(valid)
  checkShareHeartbeat({ ...valid, memberEpoch: 1, topics: null })
  for (const wrong of [
    { memberId: '' },
    { groupId: '' },
    { rackId: '' },
    { topics: null },
    { topics: [] },
    { memberEpoch: -2 },
  ]) {
    refuses(ErrorCode.ERR_INVALID_REQUEST, () => checkShareHeartbeat({ ...valid, ...wrong }))
  }
})
