import { test } from 'node:test'
import assert from 'node:assert/strict'
import { DescribeConfigs, ErrorCode, IncrementalAlterConfigs } from '@ottla/protocol'
import { EmbeddedCluster } from '../src/index.ts'
import { WireClient } from './wire-client.ts'

const GROUP = 32
const INTERVAL = 'consumer.heartbeat.interval.ms'

test('groups are configured before they are there, all settings or none', async () => {
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
