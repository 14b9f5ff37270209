import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { GroupConfigs } from '../../../src/groups/configs.ts'
import { GroupRefusal } from '../../../src/groups/refusal.ts'
import { StreamsGroup } from '../../../src/groups/streams/group.ts'
import {
  checkStreamsHeartbeat,
  streamsHeartbeat,
  type StreamsHeartbeat,
  type StreamsHeartbeatOutput,
} from '../../../src/groups/streams/heartbeat.ts'
import { taskIds, type TaskIds } from '../../../src/groups/streams/tasks.ts'
import { StreamsStatus } from '../../../src/groups/streams/topology.ts'
import { TopicStore } from '../../../src/topics/topics.ts'
import { FakeClock } from '../../fake-clock.ts'

const SESSION_MS = 45_000

const topology = {
  epoch: 1,
  subtopologies: [
    {
      subtopologyId: '0',
      sourceTopics: ['lines'],
      sourceTopicRegex: [],
      stateChangelogTopics: [{ name: 'state', partitions: 0, replicationFactor: 0, topicConfigs: [] }],
      repartitionSinkTopics: [],
      repartitionSourceTopics: [],
      copartitionGroups: [],
    },
  ],
}

const staying: StreamsHeartbeat = {
  groupId: 'g',
  memberId: 'a',
  memberEpoch: 1,
  endpointInformationEpoch: 0,
  instanceId: null,
  rackId: null,
  rebalanceTimeoutMs: -1,
  topology: null,
  activeTasks: null,
  standbyTasks: null,
  warmupTasks: null,
  processId: null,
  userEndpoint: null,
  clientTags: null,
  taskOffsets: null,
  taskEndOffsets: null,
  shutdownApplication: false,
}

class Scene {
  readonly clock = new FakeClock()
  readonly configs = new GroupConfigs()
  readonly topics = new TopicStore(
    () => [1],
    1,
    () => true,
  )
  readonly group: StreamsGroup

  constructor(partitions = 4) {
    const { clock, configs, topics } = this
    this.group = new StreamsGroup('g', { clock, configs, topics, maxSize: 3 })
    this.topic('lines', partitions)
  }

  topic(name: string, partitions = 4): void {
    this.topics.create({ name, partitions, replicationFactor: 1 })
  }

  beat(memberId: string, more: Partial<StreamsHeartbeat>): StreamsHeartbeatOutput {
    const request = { ...staying, memberId, ...more }
    checkStreamsHeartbeat(request)
    return streamsHeartbeat(this.group, request, { clientId: 'c', host: '/h' })
  }

  join(memberId: string, more: Partial<StreamsHeartbeat> = {}): StreamsHeartbeatOutput {
    const none = { activeTasks: [], standbyTasks: [], warmupTasks: [] }
    const joining = { ...none, memberEpoch: 0, rebalanceTimeoutMs: 1000, processId: memberId, topology }
    return this.beat(memberId, { ...joining, ...more })
  }

  /** What the member has, said back. */
  owns(
    memberId: string,
    active: ReturnType<typeof tasks>,
    standby: ReturnType<typeof tasks> = [],
  ): StreamsHeartbeatOutput {
    const { epoch } = this.group.member(memberId)
    const owned = { activeTasks: active, standbyTasks: standby, warmupTasks: [] }
    return this.beat(memberId, { memberEpoch: epoch, ...owned })
  }
}

function refuses(code: number, action: () => unknown, message = /./): void {
  assert.throws(action, error => {
    assert.ok(error instanceof GroupRefusal)
    assert.equal(error.errorCode, code)
    assert.match(error.message, message)
    return true
  })
}

const active = ({ assigned }: StreamsHeartbeatOutput): readonly TaskIds[] => taskIds(assigned?.active.keys() ?? [])
/** Of the one subtopology; as a request has them. */
const tasks = (...partitions: number[]): { subtopologyId: string; partitions: number[] }[] =>
  partitions.length === 0 ? [] : [{ subtopologyId: '0', partitions }]

test('tasks are assigned once the internal topics are there', () => {
  const scene = new Scene()
  const joined = scene.join('a')
  assert.deepEqual(
    joined.missing.map(({ name, partitions }) => [name, partitions]),
    [['state', 4]],
  )
  assert.deepEqual(
    joined.status.map(({ statusCode }) => statusCode),
    [StreamsStatus.missingInternalTopics],
  )
  assert.deepEqual([scene.group.state, active(joined)], ['NotReady', []])
  scene.topic('state')
  const next = scene.beat('a', { memberEpoch: joined.memberEpoch })
  assert.deepEqual([next.status, active(next)], [[], tasks(0, 1, 2, 3)])
  assert.equal(scene.group.state, 'Stable')
  assert.equal(scene.beat('a', { memberEpoch: next.memberEpoch }).assigned, null, 'it has not changed')
})

test('a member that joins gets tasks when those who had them have given them up', () => {
  const scene = new Scene()
  scene.topic('state')
  scene.join('a')
  assert.deepEqual(active(scene.join('b')), [])
  const revoked = scene.owns('a', tasks(0, 1, 2, 3))
  assert.deepEqual(active(revoked), tasks(0, 1))
  assert.equal(scene.group.state, 'Reconciling')
  const waiting = scene.owns('b', [])
  assert.deepEqual(active(waiting), [], 'a has not said yet that it has stopped them')
  scene.owns('a', tasks(0, 1))
  assert.deepEqual(active(scene.owns('b', [])), tasks(2, 3))
  assert.equal(scene.group.state, 'Stable')
})

test('a member that does not give its tasks up in time is fenced', () => {
  const scene = new Scene()
  scene.topic('state')
  const { memberEpoch } = scene.join('a')
  scene.join('b')
  scene.owns('a', tasks(0, 1, 2, 3))
  scene.clock.advance(1001)
  refuses(ErrorCode.ERR_UNKNOWN_MEMBER_ID, () => scene.beat('a', { memberEpoch }))
  assert.deepEqual(active(scene.owns('b', [])), tasks(0, 1, 2, 3))
})

test('a member that is silent for a session is fenced, and one that leaves is gone at once', () => {
  const scene = new Scene()
  scene.topic('state')
  scene.join('a')
  scene.join('b')
  scene.beat('b', { memberEpoch: -1 })
  assert.deepEqual([...scene.group.members.keys()], ['a'])
  scene.clock.advance(SESSION_MS + 1)
  assert.equal(scene.group.state, 'Empty')
})

test('standby tasks follow the setting of the group', () => {
  const scene = new Scene()
  scene.topic('state')
  scene.join('a')
  scene.join('b')
  scene.owns('a', tasks(0, 1))
  scene.owns('b', [])
  scene.configs.set('g', 'streams.num.standby.replicas', '1')
  const copies = scene.owns('a', tasks(0, 1))
  assert.deepEqual(taskIds(copies.assigned?.standby ?? []), tasks(2, 3))
})

test('what reads the state of an application is told where it is', () => {
  const scene = new Scene()
  scene.topic('state')
  const endpoint = { host: 'localhost', port: 8080 }
  const { endpoints, endpointEpoch } = scene.join('a', { userEndpoint: endpoint })
  assert.equal(endpointEpoch, 1)
  assert.deepEqual(endpoints, [{ endpoint, active: [{ topic: 'lines', partitions: [0, 1, 2, 3] }], standby: [] }])
  assert.equal(scene.beat('a', { memberEpoch: scene.group.epoch, endpointInformationEpoch: 1 }).endpoints, null)
})

test('another topology is refused, an older one is told to be stale', () => {
  const scene = new Scene()
  scene.topic('state')
  scene.join('a')
  const other = { ...topology, subtopologies: [] }
  refuses(ErrorCode.ERR_INVALID_REQUEST, () => scene.join('b', { topology: other }), /not supported yet/)
  const stale = scene.join('b', { topology: { ...topology, epoch: 0 } })
  assert.deepEqual(
    stale.status.map(({ statusCode }) => statusCode),
    [StreamsStatus.staleTopology],
  )
})

test('a member can end the whole application', () => {
  const scene = new Scene()
  scene.topic('state')
  scene.join('a')
  const { memberEpoch } = scene.join('b')
  scene.beat('a', { memberEpoch: -1, shutdownApplication: true })
  const { status } = scene.beat('b', { memberEpoch })
  assert.deepEqual(
    status.map(({ statusCode }) => statusCode),
    [StreamsStatus.shutdownApplication],
  )
  scene.beat('b', { memberEpoch: -1 })
  assert.deepEqual(scene.join('c').status, [])
})

test('the first members are waited for, if that is wanted', () => {
  const scene = new Scene()
  scene.topic('state')
  scene.configs.set('g', 'streams.initial.rebalance.delay.ms', '3000')
  const { status, memberEpoch } = scene.join('a')
  assert.deepEqual([status.map(({ statusCode }) => statusCode), memberEpoch], [[StreamsStatus.assignmentDelayed], 0])
  scene.join('b')
  scene.clock.advance(3000)
  assert.deepEqual(active(scene.join('a')), tasks(0, 2))
  assert.deepEqual(active(scene.join('b')), tasks(1, 3))
})

test('epochs that are too new or too old are fenced, the previous one is not', () => {
  const scene = new Scene()
  scene.topic('state')
  const { memberEpoch } = scene.join('a')
  scene.join('b')
  refuses(ErrorCode.ERR_FENCED_MEMBER_EPOCH, () => scene.beat('a', { memberEpoch: memberEpoch + 1 }), /greater/)
  scene.owns('a', tasks(0, 1, 2, 3))
  scene.owns('a', tasks(0, 1))
  assert.equal(scene.group.member('a').epoch, memberEpoch + 1)
  const repeated = { activeTasks: tasks(0, 1), standbyTasks: [], warmupTasks: [] }
  assert.equal(scene.beat('a', { memberEpoch, ...repeated }).memberEpoch, memberEpoch + 1)
  refuses(ErrorCode.ERR_FENCED_MEMBER_EPOCH, () => scene.beat('a', { memberEpoch }), /smaller/)
})

test('an offset may be committed with the epoch since which the task is the member’s', () => {
  const scene = new Scene()
  scene.topic('state')
  const { memberEpoch } = scene.join('a')
  scene.join('b')
  scene.owns('a', tasks(0, 1, 2, 3))
  scene.owns('a', tasks(0, 1))
  assert.equal(scene.group.checkTaskEpoch('a', memberEpoch, 'lines', 0), 0)
  assert.equal(scene.group.checkTaskEpoch('a', memberEpoch, 'lines', 3), ErrorCode.ERR_STALE_MEMBER_EPOCH)
  assert.equal(scene.group.checkTaskEpoch('a', memberEpoch - 1, 'lines', 0), ErrorCode.ERR_STALE_MEMBER_EPOCH)
})

test('heartbeats that make no sense are refused', () => {
  const scene = new Scene()
  const invalid = (more: Partial<StreamsHeartbeat>, message: RegExp): void =>
    refuses(ErrorCode.ERR_INVALID_REQUEST, () => scene.join('a', more), message)
  invalid({ memberId: '' }, /MemberId/)
  invalid({ topology: null }, /Topology must be non-null/)
  invalid({ rebalanceTimeoutMs: -1 }, /RebalanceTimeoutMs/)
  invalid({ activeTasks: tasks(0) }, /ActiveTasks must be empty/)
  invalid({ memberEpoch: 1 }, /only be provided/)
  invalid({ memberEpoch: -3 }, /greater than or equal to -2/)
  invalid({ instanceId: 'i' }, /Static membership/)
  invalid({ standbyTasks: null }, /all must be non-null/)
  scene.topic('state')
  scene.join('a')
  refuses(ErrorCode.ERR_INVALID_REQUEST, () => scene.owns('a', tasks(7)), /Number of tasks for this subtopology: 4/)
  scene.join('b')
  scene.join('c')
  refuses(ErrorCode.ERR_GROUP_MAX_SIZE_REACHED, () => scene.join('d'))
})
