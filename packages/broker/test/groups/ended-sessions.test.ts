/** DeleteGroups of groups whose members' sessions have ended a moment ago, before the event loop comes to their timers. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import {
  ConsumerGroupHeartbeat,
  DeleteGroups,
  ErrorCode,
  JoinGroup,
  ShareGroupHeartbeat,
  StreamsGroupHeartbeat,
  SyncGroup,
} from '@ottla/protocol'
import { EmbeddedCluster } from '../../src/index.ts'
import { FakeClock } from '../fake-clock.ts'
import { WireClient } from '../wire-client.ts'

const SESSION_MS = 45_000
const member = { memberId: 'm', memberEpoch: 0 }

const joins: Readonly<Record<string, (client: WireClient, groupId: string) => Promise<number>>> = {
  async classic(client, groupId) {
    const { errorCode, memberId, generationId } = await client.ask(JoinGroup, 5, {
      groupId,
      groupInstanceId: 'static',
      memberId: '',
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: 60_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
    })
    await client.ask(SyncGroup, 3, { groupId, generationId, memberId, groupInstanceId: 'static', assignments: [] })
    return errorCode
  },
  async consumer(client, groupId) {
    const topics = { subscribedTopicNames: ['t'], topicPartitions: [] }
    const answer = await client.ask(ConsumerGroupHeartbeat, 1, {
      groupId,
      ...member,
      rebalanceTimeoutMs: 60_000,
      ...topics,
    })
    return answer.errorCode
  },
  async share(client, groupId) {
    return (await client.ask(ShareGroupHeartbeat, 1, { groupId, ...member, subscribedTopicNames: ['t'] })).errorCode
  },
  async streams(client, groupId) {
    const none = { sourceTopicRegex: [], stateChangelogTopics: [], repartitionSinkTopics: [] }
    const others = { repartitionSourceTopics: [], copartitionGroups: [] }
    const { errorCode } = await client.ask(StreamsGroupHeartbeat, 0, {
      groupId,
      ...member,
      endpointInformationEpoch: 0,
      rebalanceTimeoutMs: 60_000,
      processId: 'p',
      topology: { epoch: 0, subtopologies: [{ subtopologyId: '0', sourceTopics: ['t'], ...none, ...others }] },
      activeTasks: [],
      standbyTasks: [],
      warmupTasks: [],
    })
    return errorCode
  },
}

for (const [type, join] of Object.entries(joins)) {
  test(`a ${type} group can be deleted as soon as its last session has ended`, async () => {
    const clock = new FakeClock()
    const cluster = await EmbeddedCluster.start({ clock, groupInitialRebalanceDelayMs: 0 })
    try {
      cluster.createTopic('t', { partitions: 1 })
      const client = await WireClient.connect(cluster.bootstrapServers)
      const remove = async (): Promise<number | undefined> =>
        (await client.ask(DeleteGroups, 2, { groupsNames: ['g'] })).results[0]?.errorCode
      assert.equal(await join(client, 'g'), ErrorCode.ERR_NO_ERROR)
      clock.standStill(SESSION_MS - 1)
      assert.equal(await remove(), ErrorCode.ERR_NON_EMPTY_GROUP)
      clock.standStill(1)
      assert.equal(await remove(), ErrorCode.ERR_NO_ERROR)
      client.close()
    } finally {
      await cluster.close()
    }
  })
}
