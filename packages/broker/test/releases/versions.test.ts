import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ApiKey, apis } from '@ottla/protocol'
import { versionsOf } from '../../src/releases/versions.ts'

const everything = new Set(apis.map(({ key }) => key))

test('an older release neither knows newer APIs nor serves versions that were dropped since', () => {
  const old = versionsOf('3.9', everything)
  assert.equal(old.has(ApiKey.ConsumerGroupHeartbeat), true)
  assert.equal(old.has(ApiKey.ShareFetch), false)
  assert.deepEqual(old.get(ApiKey.Produce), { min: versionsOf('4.3', everything).get(ApiKey.Produce)?.min, max: 11 })
  assert.equal(versionsOf('2.1', everything).has(ApiKey.ConsumerGroupHeartbeat), false)
})

test('every range is one that the codecs can read, and none is empty', () => {
  for (const release of ['2.1', '3.9', '4.3'] as const) {
    for (const { key, minVersion, maxVersion } of apis) {
      const range = versionsOf(release, everything).get(key)
      if (range === undefined) continue
      assert.ok(minVersion <= range.min && range.min <= range.max && range.max <= maxVersion, `${release} ${key}`)
    }
  }
})

test('APIs that the cluster does not serve are left out', () => {
  assert.deepEqual([...versionsOf('4.3', new Set([ApiKey.Fetch])).keys()], [ApiKey.Fetch])
})
