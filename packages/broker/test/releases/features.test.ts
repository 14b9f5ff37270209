import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ApiKey, ApiVersions } from '@ottla/protocol'
import { EmbeddedCluster, type KafkaRelease } from '../../src/index.ts'
import { Features, type FeatureUpdate } from '../../src/releases/features.ts'
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

test('transaction.version is 2', async () => {
  const { supported, finalized } = await features('4.3', 4)
  assert.ok(supported.includes('transaction.version 0-2'))
  assert.ok(finalized.includes('transaction.version 2'))
})

test('clients that cannot read a lowest version of 0 do not get one', async () => {
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

test('levels move only in the direction that was asked for, within their limits', () => {
  const all = new Features(new Map([[ApiKey.EndTxn, { min: 0, max: 5 }]]))
  const refused = (name: string, level: number, kind: FeatureUpdate['kind']): boolean =>
    all.problem({ name, level, kind }) !== null
  assert.equal(refused('share.version', 0, 'safe-downgrade'), false)
  assert.equal(refused('share.version', 0, 'upgrade'), true)
  assert.equal(refused('kraft.version', 1, 'upgrade'), false)
  assert.equal(refused('kraft.version', 1, 'unsafe-downgrade'), true)
  assert.equal(refused('share.version', 2, 'upgrade'), true)
  assert.equal(refused('share.version', -1, 'safe-downgrade'), true)
  assert.equal(refused('share.version', 0, 'unknown'), true)
  assert.equal(refused('nonsense.version', 1, 'upgrade'), true)
  assert.equal(refused('metadata.version', 29, 'unsafe-downgrade'), true, 'its records could not be read')
})

test('an update changes the levels that it names, and raises the epoch', () => {
  const all = new Features(new Map([[ApiKey.EndTxn, { min: 0, max: 5 }]]))
  const { epoch } = all
  assert.deepEqual([all.level('share.version'), all.isOff('share.version')], [1, false])
  all.update([{ name: 'share.version', level: 0, kind: 'safe-downgrade' }])
  assert.deepEqual([all.level('share.version'), all.isOff('share.version'), all.level('group.version')], [0, true, 1])
  assert.equal(all.epoch, epoch + 1)
  assert.deepEqual([all.level('nonsense'), all.isOff('nonsense')], [0, false])
})
