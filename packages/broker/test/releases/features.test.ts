import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ApiVersions } from '@ottla/protocol'
import { EmbeddedCluster, type KafkaRelease } from '../../src/index.ts'
import { WireClient } from '../wire-client.ts'

async function features(as: KafkaRelease, version: number): Promise<{ supported: string[]; finalized: string[] }> {
  await using cluster = await EmbeddedCluster.start({ as })
  const client = await WireClient.connect(cluster.bootstrapServers)
  const body = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
  const answer = await client.ask(ApiVersions, version, body)
  client.close()
  return {
    supported: answer.supportedFeatures.map(
      ({ name, minVersion, maxVersion }) => `${name} ${minVersion}-${maxVersion}`,
    ),
    finalized: answer.finalizedFeatures.map(({ name, maxVersionLevel }) => `${name} ${maxVersionLevel}`),
  }
}

test('clients are told that transactions are of version 2', async () => {
  const { supported, finalized } = await features('4.3', 4)
  assert.ok(supported.includes('transaction.version 0-2'))
  assert.ok(finalized.includes('transaction.version 2'))
})

test('clients that cannot read a version 0 are not given one', async () => {
  const { supported, finalized } = await features('4.3', 3)
  assert.deepEqual(supported, ['metadata.version 7-30'])
  assert.ok(finalized.includes('transaction.version 2'))
})

test('an older release has the features that it had', async () => {
  assert.deepEqual(await features('3.9', 3), {
    supported: ['metadata.version 1-21'],
    finalized: ['metadata.version 21'],
  })
})
