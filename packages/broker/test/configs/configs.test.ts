import { test } from 'node:test'
import assert from 'node:assert/strict'
import {
  AlterConfigs,
  ConsumerGroupHeartbeat,
  DescribeConfigs,
  ErrorCode,
  IncrementalAlterConfigs,
} from '@ottla/protocol'
import { EmbeddedCluster } from '../../src/index.ts'
import { WireClient } from '../wire-client.ts'

const TOPIC = 2
const GROUP = 32
const INTERVAL = 'consumer.heartbeat.interval.ms'

test('groups are configured before they exist, all settings or none', async () => {
  await using cluster = await EmbeddedCluster.start()
  const client = await WireClient.connect(cluster.bootstrapServers)
  const alter = async (resourceName: string, ...changes: [string, number, string | null][]): Promise<number> => {
    const configs = changes.map(([name, configOperation, value]) => ({ name, configOperation, value }))
    const resources = [{ resourceType: GROUP, resourceName, configs }]
    const { responses } = await client.ask(IncrementalAlterConfigs, 1, { resources, validateOnly: false })
    return responses[0]?.errorCode ?? -1
  }
  const interval = async (): Promise<unknown> => {
    const resources = [{ resourceType: GROUP, resourceName: 'g', configurationKeys: [INTERVAL] }]
    const { results } = await client.ask(DescribeConfigs, 4, { resources, includeSynonyms: true })
    const config = results[0]?.configs[0]
    return [config?.value, config?.configSource, config?.synonyms.length]
  }
  assert.deepEqual(await interval(), ['5000', 5, 1])
  assert.equal(await alter('g', [INTERVAL, 0, '6000'], ['nonsense', 0, '1']), ErrorCode.ERR_INVALID_CONFIG)
  assert.equal(await alter('g', [INTERVAL, 2, '6000']), ErrorCode.ERR_INVALID_CONFIG)
  assert.equal(await alter('', [INTERVAL, 0, '6000']), ErrorCode.ERR_INVALID_REQUEST)
  assert.deepEqual(await interval(), ['5000', 5, 1])
  assert.equal(await alter('g', [INTERVAL, 0, '6000']), ErrorCode.ERR_NO_ERROR)
  assert.deepEqual(await interval(), ['6000', 8, 2])
  assert.equal(await alter('g', [INTERVAL, 1, null]), ErrorCode.ERR_NO_ERROR)
  assert.deepEqual(await interval(), ['5000', 5, 1])
  client.close()
})

test('groups have what the brokers were started with, unless they have a setting of their own', async () => {
  await using cluster = await EmbeddedCluster.start({ configs: { [`group.${INTERVAL}`]: '700' } })
  const client = await WireClient.connect(cluster.bootstrapServers)
  const resources = [{ resourceType: GROUP, resourceName: 'g', configurationKeys: [INTERVAL] }]
  const { results } = await client.ask(DescribeConfigs, 4, { resources, includeSynonyms: true })
  const config = results[0]?.configs[0]
  assert.deepEqual([config?.value, config?.configSource, config?.synonyms.length], ['700', 4, 2])
  const { heartbeatIntervalMs } = await client.ask(ConsumerGroupHeartbeat, 1, {
    groupId: 'g',
    memberId: 'm',
    memberEpoch: 0,
    rebalanceTimeoutMs: 1000,
    subscribedTopicNames: [],
    topicPartitions: [],
  })
  assert.equal(heartbeatIntervalMs, 700)
  client.close()
})

test('configurations are replaced as a whole, of topics and of groups', async () => {
  await using cluster = await EmbeddedCluster.start()
  cluster.createTopic('t', { configs: { 'retention.ms': '1000', 'segment.ms': '2000' } })
  const client = await WireClient.connect(cluster.bootstrapServers)
  const replace = async (
    resourceType: number,
    resourceName: string,
    own: Record<string, string | null>,
  ): Promise<number> => {
    const configs = Object.entries(own).map(([name, value]) => ({ name, value }))
    const resources = [{ resourceType, resourceName, configs }]
    return (await client.ask(AlterConfigs, 2, { resources, validateOnly: false })).responses[0]?.errorCode ?? -1
  }
  const own = async (resourceType: number, resourceName: string): Promise<string[]> => {
    const resources = [{ resourceType, resourceName, configurationKeys: null }]
    const { results } = await client.ask(DescribeConfigs, 4, { resources })
    const configs = results[0]?.configs ?? []
    return configs.filter(config => config.configSource !== 5).map(({ name, value }) => `${name}=${String(value)}`)
  }
  assert.equal(await replace(TOPIC, 't', { 'retention.ms': null }), ErrorCode.ERR_INVALID_REQUEST)
  assert.equal(await replace(TOPIC, 'missing', { 'retention.ms': '1' }), ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  assert.equal(await replace(TOPIC, 't', { 'retention.ms': 'x' }), ErrorCode.ERR_INVALID_CONFIG)
  assert.equal((await own(TOPIC, 't')).length, 2)
  assert.equal(await replace(TOPIC, 't', { 'retention.ms': '3000' }), ErrorCode.ERR_NO_ERROR)
  assert.deepEqual(await own(TOPIC, 't'), ['retention.ms=3000'])
  assert.equal(await replace(GROUP, 'g', { [INTERVAL]: '6000' }), ErrorCode.ERR_NO_ERROR)
  assert.deepEqual(await own(GROUP, 'g'), [`${INTERVAL}=6000`])
  assert.equal(await replace(GROUP, 'g', {}), ErrorCode.ERR_NO_ERROR)
  assert.deepEqual(await own(GROUP, 'g'), [])
  client.close()
})
