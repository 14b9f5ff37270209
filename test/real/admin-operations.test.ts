import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { AdminClient, ErrorCode, KafkaError, type DelegationToken } from 'ottla'
import { adminOperations } from '../behaviour/admin-operations.ts'
import { until } from '../behaviour/reading-ways.ts'
import { as, fresh, type World } from '../behaviour/world.ts'
import { securedKafka } from './worlds.ts'
import { createTopic } from '../harness/topics.ts'

let world: World
let admin: AdminClient

// One cluster for both halves, also when this file runs alone.
let starting: Promise<World> | undefined
function oneWorld(): Promise<World> {
  starting ??= securedKafka()
  return starting
}

before(async () => {
  world = await oneWorld()
  admin = new AdminClient(as(world, 'admin'))
})
after(() => admin.close())

test('a delegation token is made for another user, described, renewed and expired', async () => {
  const renewers = ['User:bob']
  const token = await admin.createDelegationToken({ owner: 'User:alice', renewers, maxLifetimeMs: 3_600_000 })
  assert.equal(token.owner, 'User:alice')
  assert.equal(token.requester, 'User:admin')
  assert.ok(token.hmac.length > 0)
  assert.equal(token.maxTimestamp - token.issueTimestamp, 3_600_000)
  const isUnknown = withCode(ErrorCode.ERR_DELEGATION_TOKEN_NOT_FOUND)
  // Known to one broker after the other.
  let found = undefined as DelegationToken | undefined
  await until('it is described', async () => {
    const described = await admin.describeDelegationToken({ owners: ['User:alice'] })
    found = described.find(({ tokenId }) => tokenId === token.tokenId)
    return found !== undefined
  })
  assert.deepEqual(found?.hmac, token.hmac)
  assert.deepEqual(found.renewers, renewers)

  await using bob = new AdminClient(as(world, 'bob'))
  let later = 0
  await until('it is renewed', async () => {
    try {
      later = await bob.renewDelegationToken(token.hmac, { renewPeriodMs: 1_800_000 })
    } catch (error) {
      if (!isUnknown(error)) throw error
    }
    return later > 0
  })
  assert.ok(later > token.issueTimestamp && later < token.expiryTimestamp)
  await bob.expireDelegationToken(token.hmac)
  // Gone for one after the other, too. A renewal at one that has not heard of it would bring it back.
  await until('it is described no more', async () => {
    const known = await admin.describeDelegationToken()
    return known.every(({ tokenId }) => tokenId !== token.tokenId)
  })
  await until('it is unknown', () => bob.expireDelegationToken(token.hmac).then(() => false, isUnknown))
})

test('features are checked without being changed, and what cannot be is refused', async () => {
  const { finalized } = await admin.describeFeatures()
  const level = finalized['metadata.version']?.max ?? 0
  assert.ok(level > 0)
  const same = { feature: 'metadata.version', maxVersionLevel: level }
  assert.deepEqual(await admin.updateFeatures([same], { validateOnly: true }), [{ feature: 'metadata.version' }])
  const [beyond] = await admin.updateFeatures([{ ...same, maxVersionLevel: 30_000 }], { validateOnly: true })
  assert.equal(beyond?.error?.code, ErrorCode.ERR_INVALID_UPDATE_VERSION)
})

test('where a share group begins is altered and forgotten while it has no members', async () => {
  const topic = fresh('share')
  const group = fresh('share-group')
  await createTopic(as(world, 'admin'), topic, { numPartitions: 1 })
  const zero = { topic, partition: 0 }
  const begin = () => admin.alterShareGroupOffsets(group, [{ ...zero, startOffset: 0 }])
  let altered = await begin()
  // The coordinator hears of a new topic later than who asked for it.
  await until('the topic is known', async () => {
    if (altered[0]?.error?.code !== ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART) return true
    altered = await begin()
    return false
  })
  assert.deepEqual(altered, [zero])
  const [offset] = await admin.listShareGroupOffsets(group, [zero])
  assert.equal(offset?.startOffset, 0)
  const { groups } = await admin.listGroups({ types: ['share'] })
  assert.deepEqual(
    groups.filter(g => g.groupId === group).map(g => [g.state, g.protocol]),
    [['Empty', 'share']],
  )
  assert.deepEqual(await admin.deleteShareGroupOffsets(group, [topic]), [{ topic }])
  assert.deepEqual(await admin.deleteShareGroups([group]), [{ groupId: group }])
  const [gone] = await admin.describeShareGroups([group])
  assert.equal(gone?.error?.code, ErrorCode.ERR_GROUP_ID_NOT_FOUND)
})

test('a voter that nobody knows, and a broker, are not there to be removed', async () => {
  const voter = { voterId: 77, directoryId: 'AAAAAAAAAAAAAAAAAAAAAQ' }
  await assert.rejects(admin.removeRaftVoter(voter), KafkaError)
  await assert.rejects(admin.unregisterBroker(77), withCode(ErrorCode.ERR_BROKER_ID_NOT_REGISTERED))
})

test('the log levels of a broker are described and set', async () => {
  const resource = { type: 'broker-logger', name: '1' } as const
  const name = 'kafka.server.ClientQuotaManager'
  const [described] = await admin.describeConfigs([resource])
  assert.equal(described?.error, undefined)
  const [set] = await admin.incrementalAlterConfigs([
    { ...resource, entries: [{ name: 'root', value: 'LOUD', operation: 'set' }] },
  ])
  assert.equal(set?.error?.code, ErrorCode.ERR_INVALID_CONFIG, name)
})

adminOperations(oneWorld)

function withCode(code: number): (error: unknown) => boolean {
  return error => error instanceof KafkaError && error.code === code
}
