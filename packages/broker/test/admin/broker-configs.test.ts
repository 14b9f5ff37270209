import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { AlterConfigs, DescribeConfigs, ErrorCode, IncrementalAlterConfigs, ListConfigResources } from '@ottla/protocol'
import { EmbeddedCluster } from '../../src/index.ts'
import { WireClient } from '../wire-client.ts'

const TOPIC = 2
const BROKER = 4
const LOGGER = 8
const CLIENT_METRICS = 16
const GROUP = 32
const SET = 0
const DELETE = 1
const APPEND = 2

let cluster: EmbeddedCluster
let client: WireClient

beforeEach(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 2, defaultPartitions: 7, racks: ['a', 'b'] })
  cluster.createTopic('t', { partitions: 1 })
  client = await WireClient.connect(cluster.bootstrapServers)
})
afterEach(async () => {
  client.close()
  await cluster.close()
})

interface Config {
  readonly value: string | null
  readonly configSource: number
  readonly synonyms: readonly { readonly name: string; readonly value: string | null; readonly source: number }[]
}

async function describe(resourceType: number, resourceName: string): Promise<Map<string, Config> | number> {
  const { results } = await client.ask(DescribeConfigs, 4, {
    resources: [{ resourceType, resourceName, configurationKeys: null }],
    includeSynonyms: true,
  })
  const [result] = results
  if (result?.errorCode !== ErrorCode.ERR_NO_ERROR) return result?.errorCode ?? -1
  return new Map(result.configs.map(config => [config.name, config]))
}

async function value(resourceType: number, resourceName: string, name: string): Promise<string | null | undefined> {
  const configs = await describe(resourceType, resourceName)
  assert.ok(typeof configs !== 'number')
  return configs.get(name)?.value
}

type Change = readonly [name: string, operation: number, value: string | null]

async function alter(resourceType: number, resourceName: string, ...changes: Change[]): Promise<number | undefined> {
  const configs = changes.map(([name, configOperation, value]) => ({ name, configOperation, value }))
  const resources = [{ resourceType, resourceName, configs }]
  const answer = await client.ask(IncrementalAlterConfigs, 1, { resources, validateOnly: false })
  return answer.responses[0]?.errorCode
}

test('a broker describes all its settings, including those it was started with', async () => {
  const configs = await describe(BROKER, '1')
  assert.ok(typeof configs !== 'number')
  assert.ok(configs.size > 300)
  assert.equal(configs.get('node.id')?.value, '1')
  assert.equal(configs.get('broker.rack')?.value, 'a')
  assert.equal(configs.get('num.partitions')?.value, '7')
  assert.deepEqual(configs.get('num.partitions')?.synonyms, [
    { name: 'num.partitions', value: '7', source: 4 },
    { name: 'num.partitions', value: '1', source: 5 },
  ])
  assert.equal(configs.get('ssl.key.password')?.value, null)
})

test('a setting of one broker comes before that of all brokers', async () => {
  assert.equal(await alter(BROKER, '', ['log.cleaner.threads', SET, '3']), 0)
  assert.equal(await value(BROKER, '1', 'log.cleaner.threads'), '3')
  assert.equal(await alter(BROKER, '1', ['log.cleaner.threads', SET, '2']), 0)
  const configs = await describe(BROKER, '1')
  assert.ok(typeof configs !== 'number')
  assert.deepEqual(
    configs.get('log.cleaner.threads')?.synonyms.map(({ value: each, source }) => [each, source]),
    [['2', 2], ['3', 3], ['1', 5]], // prettier-ignore
  )
  const forAll = await describe(BROKER, '')
  assert.ok(typeof forAll !== 'number')
  assert.deepEqual([...forAll.keys()], ['log.cleaner.threads'])
  assert.equal(await alter(BROKER, '1', ['log.cleaner.threads', DELETE, null]), 0)
  assert.equal(await value(BROKER, '1', 'log.cleaner.threads'), '3')
})

test('topics without a setting of their own have that of the brokers', async () => {
  assert.equal(await alter(BROKER, '', ['log.cleanup.policy', SET, 'compact']), 0)
  assert.equal(await value(TOPIC, 't', 'cleanup.policy'), 'compact')
  cluster.compact('t')
  assert.equal(await alter(TOPIC, 't', ['cleanup.policy', APPEND, 'delete']), 0)
  assert.equal(await value(TOPIC, 't', 'cleanup.policy'), 'compact,delete')
})

test('invalid broker settings are refused', async () => {
  const wrong = ErrorCode.ERR_INVALID_REQUEST
  assert.equal(await alter(BROKER, '1', ['log.cleaner.threads', SET, 'x']), wrong)
  assert.equal(await alter(BROKER, '1', ['log.cleaner.threads', SET, '0']), wrong)
  assert.equal(await alter(BROKER, '1', ['num.partitions', SET, '3']), wrong)
  assert.equal(await alter(BROKER, '1', ['log.message.timestamp.type', SET, 'Never']), wrong)
  assert.equal(await alter(BROKER, '1', ['log.cleaner.threads', APPEND, '1']), ErrorCode.ERR_INVALID_CONFIG)
  assert.equal(await alter(BROKER, '', ['listeners', SET, 'PLAINTEXT://:9']), wrong)
  assert.equal(await alter(BROKER, '2', ['log.cleaner.threads', SET, '2']), wrong)
  assert.equal(await alter(BROKER, 'x', ['log.cleaner.threads', SET, '2']), wrong)
  assert.equal(await describe(BROKER, '2'), wrong)
  assert.equal(await alter(BROKER, '1', ['of.some.plugin', SET, '2']), 0)
})

test('a broker’s whole configuration is replaced', async () => {
  await alter(BROKER, '1', ['log.cleaner.threads', SET, '2'], ['message.max.bytes', SET, '2000'])
  const resource = { resourceType: BROKER, resourceName: '1', configs: [{ name: 'message.max.bytes', value: '3000' }] }
  const answer = await client.ask(AlterConfigs, 2, { resources: [resource], validateOnly: false })
  assert.equal(answer.responses[0]?.errorCode, 0)
  assert.equal(await value(BROKER, '1', 'log.cleaner.threads'), '1')
  assert.equal(await value(BROKER, '1', 'message.max.bytes'), '3000')
})

test('existing loggers can be set to known levels', async () => {
  assert.equal(await alter(LOGGER, '1', ['root', SET, 'DEBUG']), 0)
  assert.equal(await value(LOGGER, '1', 'root'), 'DEBUG')
  assert.equal(await alter(LOGGER, '1', ['root', SET, 'debug']), ErrorCode.ERR_INVALID_CONFIG)
  assert.equal(await alter(LOGGER, '1', ['some.logger', SET, 'DEBUG']), ErrorCode.ERR_INVALID_CONFIG)
  assert.equal(await alter(LOGGER, '1', ['root', DELETE, null]), ErrorCode.ERR_INVALID_REQUEST)
  assert.equal(await alter(LOGGER, '1', ['root', APPEND, 'INFO']), ErrorCode.ERR_INVALID_REQUEST)
  assert.equal(await alter(LOGGER, '2', ['root', SET, 'INFO']), ErrorCode.ERR_INVALID_REQUEST)
  assert.equal(await describe(LOGGER, ''), ErrorCode.ERR_INVALID_REQUEST)
})

test('client metrics subscriptions are configured, and gone with their last setting', async () => {
  const set = (name: string, to: string): Promise<number | undefined> => alter(CLIENT_METRICS, 'sub', [name, SET, to])
  assert.equal(await set('interval.ms', '1000'), 0)
  assert.equal(await set('match', 'client_id=a.*,client_software_name=x'), 0)
  assert.equal(await value(CLIENT_METRICS, 'sub', 'interval.ms'), '1000')
  assert.equal(await set('interval.ms', '99'), ErrorCode.ERR_INVALID_REQUEST)
  assert.equal(await set('interval.ms', 'x'), ErrorCode.ERR_INVALID_CONFIG)
  for (const rule of ['client_id', 'nonsense=a', 'client_id=[', 'client_id=a=b']) {
    assert.equal(await set('match', rule), ErrorCode.ERR_INVALID_CONFIG, rule)
  }
  assert.equal(await set('nonsense', '1'), ErrorCode.ERR_INVALID_REQUEST)
  assert.equal(await alter(CLIENT_METRICS, 'sub', ['metrics', APPEND, 'x']), ErrorCode.ERR_INVALID_CONFIG)
  assert.equal(await alter(CLIENT_METRICS, '', ['metrics', SET, 'x']), ErrorCode.ERR_INVALID_REQUEST)
  const names = async (): Promise<string[]> => {
    const { configResources } = await client.ask(ListConfigResources, 0, {})
    return configResources.map(({ resourceName }) => resourceName)
  }
  assert.deepEqual(await names(), ['sub'])
  assert.equal(await alter(CLIENT_METRICS, 'sub', ['interval.ms', DELETE, null], ['match', DELETE, null]), 0)
  assert.deepEqual(await names(), [])
})

test('resources are listed by type', async () => {
  await alter(GROUP, 'g', ['consumer.session.timeout.ms', SET, '40000'])
  const list = async (...resourceTypes: number[]): Promise<unknown> => {
    const { errorCode, configResources } = await client.ask(ListConfigResources, 1, { resourceTypes })
    if (errorCode !== ErrorCode.ERR_NO_ERROR) return errorCode
    return configResources.map(({ resourceType, resourceName }) => `${resourceType} ${resourceName}`)
  }
  assert.deepEqual(await list(), ['32 g', '8 1', '8 2', '4 1', '4 2', '2 t'])
  assert.deepEqual(await list(TOPIC, GROUP), ['32 g', '2 t'])
  assert.equal(await list(TOPIC, 9), ErrorCode.ERR_UNSUPPORTED_VERSION)
})
