import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { ApiVersions, ErrorCode, ShareGroupHeartbeat, UpdateFeatures } from '@ottla/protocol'
import { EmbeddedCluster } from '../../src/index.ts'
import { WireClient } from '../wire-client.ts'

const UPGRADE = 1
const SAFE_DOWNGRADE = 2

let cluster: EmbeddedCluster
let client: WireClient

beforeEach(async () => {
  cluster = await EmbeddedCluster.start()
  client = await WireClient.connect(cluster.bootstrapServers)
})
afterEach(async () => {
  client.close()
  await cluster.close()
})

type Update = readonly [feature: string, maxVersionLevel: number, upgradeType: number]

async function update(updates: readonly Update[], validateOnly = false): Promise<number> {
  const featureUpdates = updates.map(([feature, maxVersionLevel, upgradeType]) => ({
    ...{ feature, maxVersionLevel, upgradeType },
  }))
  return (await client.ask(UpdateFeatures, 2, { featureUpdates, validateOnly })).errorCode
}

async function levels(): Promise<{ epoch: number; [feature: string]: number }> {
  const body = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
  const { finalizedFeatures, finalizedFeaturesEpoch } = await client.ask(ApiVersions, 4, body)
  return {
    ...Object.fromEntries(finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel])),
    epoch: finalizedFeaturesEpoch,
  }
}

test('a feature at level 0 is not reported, and its requests are refused', async () => {
  const before = await levels()
  assert.equal(before['share.version'], 1)
  assert.equal(await update([['share.version', 0, SAFE_DOWNGRADE]]), 0)
  const after = await levels()
  assert.equal(after['share.version'], undefined)
  assert.ok(after.epoch > before.epoch)
  const join = { groupId: 'g', memberId: 'm', memberEpoch: 0, subscribedTopicNames: ['t'] }
  assert.equal((await client.ask(ShareGroupHeartbeat, 1, join)).errorCode, ErrorCode.ERR_UNSUPPORTED_VERSION)
  assert.equal(await update([['share.version', 1, UPGRADE]]), 0)
  assert.equal((await client.ask(ShareGroupHeartbeat, 1, join)).errorCode, 0)
})

test('an update with validateOnly changes nothing', async () => {
  const before = await levels()
  assert.equal(await update([['transaction.version', 1, SAFE_DOWNGRADE]], true), 0)
  assert.deepEqual(await levels(), before)
})

test('if one feature cannot be updated, none is', async () => {
  const before = await levels()
  const updates: Update[] = [
    ['share.version', 0, SAFE_DOWNGRADE],
    ['nonsense', 1, UPGRADE],
  ]
  assert.equal(await update(updates), ErrorCode.ERR_INVALID_UPDATE_VERSION)
  assert.deepEqual(await levels(), before)
})

test('features are raised by an upgrade and lowered by a downgrade, within the supported levels', async () => {
  const wrong: Update[] = [
    ['group.version', 0, UPGRADE],
    ['group.version', 2, UPGRADE],
    ['group.version', -1, SAFE_DOWNGRADE],
    ['group.version', 1, 9],
    ['metadata.version', 29, SAFE_DOWNGRADE],
    ['kraft.version', 1, SAFE_DOWNGRADE],
  ]
  for (const one of wrong) assert.equal(await update([one]), ErrorCode.ERR_INVALID_UPDATE_VERSION, one.join())
})

test('older clients get a result for each feature', async () => {
  const featureUpdates = [{ feature: 'share.version', maxVersionLevel: 0, allowDowngrade: true }]
  const answer = await client.ask(UpdateFeatures, 0, { featureUpdates })
  assert.deepEqual(answer.results, [{ feature: 'share.version', errorCode: 0, errorMessage: null }])
})
