/** Groups whose members migrate to the other protocol one by one (KIP-848). */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import {
  ErrorCode,
  Reader,
  Writer,
  readConsumerProtocolAssignment,
  writeConsumerProtocolAssignment,
  writeConsumerProtocolSubscription,
} from '@ottla/protocol'
import { Group, offsetKey } from '../../src/groups/group.ts'
import type { JoinInput, JoinOutput, SyncOutput } from '../../src/groups/classic-member.ts'
import { GroupConfigs } from '../../src/groups/configs.ts'
import { consumerHeartbeat } from '../../src/groups/consumer-heartbeat.ts'
import { GroupRefusal } from '../../src/groups/refusal.ts'
import { TopicStore } from '../../src/topics/topics.ts'
import { FakeClock } from '../fake-clock.ts'

const REBALANCE_MS = 30_000
const SESSION_MS = 100_000

function bytes(write: (writer: Writer) => void): Buffer {
  const writer = new Writer()
  writer.int16(1)
  write(writer)
  return Buffer.concat(writer.finish())
}

const reads = bytes(w =>
  writeConsumerProtocolSubscription(w, { topics: ['t'], userData: null, ownedPartitions: [] }, 1),
)

function share(partitions: number[], userData: Buffer | null = null): Buffer {
  const assignedPartitions = [{ topic: 't', partitions }]
  return bytes(w => writeConsumerProtocolAssignment(w, { assignedPartitions, userData }, 1))
}

function partitionsOf(assignment: Buffer): number[] {
  const reader = new Reader(Buffer.from(assignment))
  const { assignedPartitions } = readConsumerProtocolAssignment(reader, reader.int16())
  return [...(assignedPartitions[0]?.partitions ?? [])]
}

class Scene {
  readonly clock = new FakeClock()
  readonly topics = new TopicStore(
    () => [1],
    4,
    () => true,
  )
  readonly group: Group

  constructor(maxSize = Infinity) {
    this.topics.create({ name: 't', partitions: 4, replicationFactor: 1 })
    const classic = { initialRebalanceDelayMs: 0, maxSize: Infinity }
    this.group = new Group('g', {
      clock: this.clock,
      topics: this.topics,
      configs: new GroupConfigs(),
      maxSize,
      classic,
    })
  }

  join(more: Partial<JoinInput> = {}): JoinOutput {
    const answers: JoinOutput[] = []
    const input: JoinInput = {
      memberId: '',
      groupInstanceId: null,
      clientId: 'c',
      host: '/127.0.0.1',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: reads }],
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      requiresMemberId: false,
      canSkipAssignment: true,
      ...more,
    }
    this.group.asClassic(true, () => true)?.join(input, output => answers.push(output))
    const [answer] = answers
    assert.ok(answer !== undefined)
    return answer
  }

  sync(
    { memberId, generationId }: JoinOutput,
    assignment: Buffer | null,
    groupInstanceId: string | null = null,
  ): SyncOutput {
    const answers: SyncOutput[] = []
    const assignments = assignment === null ? [] : [{ memberId, assignment }]
    const input = {
      memberId,
      generationId,
      groupInstanceId,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments,
    }
    this.group.asClassic(false, () => true)?.sync(input, output => answers.push(output))
    const [answer] = answers
    assert.ok(answer !== undefined)
    return answer
  }

  heartbeat({ memberId, generationId }: JoinOutput): number {
    return this.group.asClassic(false, () => true)?.heartbeat(memberId, generationId, null) ?? -1
  }

  /** A heartbeat of KIP-848. @returns the epoch */
  beat(memberId: string, memberEpoch: number, instanceId: string | null = null): number {
    const joins = memberEpoch === 0
    const heartbeat = {
      groupId: 'g',
      memberId,
      memberEpoch,
      instanceId,
      rackId: null,
      rebalanceTimeoutMs: joins ? REBALANCE_MS : -1,
      topics: joins ? ['t'] : null,
      regex: null,
      assignor: null,
      owned: joins ? new Set<string>() : null,
    }
    const client = { clientId: 'c', host: '/127.0.0.1', canDescribe: () => true }
    return consumerHeartbeat(this.group.asConsumer(joins), heartbeat, client).memberEpoch
  }
}

function refuses(code: number, action: () => unknown): void {
  assert.throws(action, error => error instanceof GroupRefusal && error.errorCode === code)
}

test('an upgraded member keeps its partitions until it rejoins', () => {
  const scene = new Scene()
  const member = scene.join()
  scene.sync(member, share([0, 1, 2, 3]))
  assert.equal(scene.beat('new', 0), 2)
  assert.equal(scene.group.type, 'consumer')
  assert.equal(scene.heartbeat(member), ErrorCode.ERR_REBALANCE_IN_PROGRESS)
  assert.equal(scene.sync(member, null).errorCode, ErrorCode.ERR_REBALANCE_IN_PROGRESS)
  const again = scene.join({ memberId: member.memberId })
  assert.equal(again.generationId, 2)
  const synced = scene.sync(again, null)
  assert.equal(partitionsOf(synced.assignment).length, 2)
  assert.equal(scene.heartbeat(again), 0)
})

test('an upgraded member that does not rejoin in time is dropped', () => {
  const scene = new Scene()
  const member = scene.join()
  scene.sync(member, share([0, 1, 2, 3]))
  scene.beat('new', 0)
  scene.heartbeat(member)
  scene.clock.advance(REBALANCE_MS)
  assert.equal(scene.heartbeat(member), ErrorCode.ERR_UNKNOWN_MEMBER_ID)
})

test('an upgraded member that does not sync in time is dropped', () => {
  const scene = new Scene()
  scene.beat('new', 0)
  const member = scene.join()
  assert.equal(member.protocolName, 'range')
  scene.clock.advance(REBALANCE_MS)
  assert.equal(scene.heartbeat(member), ErrorCode.ERR_UNKNOWN_MEMBER_ID)
})

test('the group is classic again when the last member of the new protocol is gone', () => {
  const scene = new Scene()
  const member = scene.join()
  scene.sync(member, share([0, 1, 2, 3]))
  scene.beat('new', 0)
  const again = scene.join({ memberId: member.memberId })
  scene.sync(again, null)
  scene.clock.advance(SESSION_MS / 2)
  assert.equal(scene.group.type, 'classic', 'the session of the new member has ended')
  assert.equal(scene.group.state, 'PreparingRebalance')
  const last = scene.join({ memberId: member.memberId })
  assert.equal(last.leader, member.memberId)
})

test('a static member that returns with the classic protocol downgrades the group without a rebalance', () => {
  const scene = new Scene()
  scene.beat('new', 0, 'i')
  const member = scene.join({ groupInstanceId: 'i' })
  assert.equal(member.errorCode, 0)
  assert.equal(scene.group.type, 'classic')
  assert.equal(scene.group.state, 'Stable')
  const synced = scene.sync(member, null, 'i')
  assert.deepEqual(partitionsOf(synced.assignment), [0, 1, 2, 3])
})

test('a static member that returns with the new protocol takes the place of its old instance', () => {
  const scene = new Scene()
  const member = scene.join({ groupInstanceId: 'i' })
  scene.sync(member, share([0, 1]), 'i')
  assert.equal(scene.beat('new', 0, 'i'), 1, 'it reads what it read before, so that nothing changes')
  assert.deepEqual([...(scene.group.consumer?.members.keys() ?? [])], ['new'])
})

test('groups that cannot be upgraded stay as they are', () => {
  const others = new Scene()
  const other = others.join({ protocolType: 'connect', protocols: [{ name: 'compatible', metadata: Buffer.alloc(2) }] })
  refuses(ErrorCode.ERR_GROUP_ID_NOT_FOUND, () => others.beat('new', 0))
  assert.equal(others.heartbeat(other), 0)

  const custom = new Scene()
  custom.sync(custom.join(), share([0], Buffer.from('own')))
  refuses(ErrorCode.ERR_GROUP_ID_NOT_FOUND, () => custom.beat('new', 0))
  assert.equal(custom.group.type, 'classic')

  const garbled = new Scene()
  garbled.sync(garbled.join({ protocols: [{ name: 'range', metadata: Buffer.from('x') }] }), null)
  refuses(ErrorCode.ERR_GROUP_ID_NOT_FOUND, () => garbled.beat('new', 0))

  const large = new Scene(0)
  large.join()
  refuses(ErrorCode.ERR_GROUP_ID_NOT_FOUND, () => large.beat('new', 0))
})

test('classic members of a consumer group need a protocol that all of them support', () => {
  const scene = new Scene()
  scene.beat('new', 0)
  scene.join()
  const misfit = scene.join({ protocols: [{ name: 'sticky', metadata: reads }] })
  assert.equal(misfit.errorCode, ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL)
  assert.equal(scene.join({ protocolType: 'connect' }).errorCode, ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL)
  const garbled = scene.join({ protocols: [{ name: 'range', metadata: Buffer.from('x') }] })
  assert.equal(garbled.errorCode, ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL)
})

test('an empty group takes the type of its next member and keeps its offsets', () => {
  const scene = new Scene()
  scene.group.offsets.set(offsetKey('t', 0), { offset: 7, leaderEpoch: -1, metadata: '' })
  scene.beat('a', 0)
  scene.beat('a', -1)
  assert.equal(scene.group.type, 'consumer')
  assert.equal(scene.join().generationId, 1)
  assert.equal(scene.group.type, 'classic')
  assert.equal(scene.group.offsets.size, 1)
  refuses(ErrorCode.ERR_GROUP_ID_NOT_FOUND, () => scene.group.asShare(false))
})
