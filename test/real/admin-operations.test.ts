import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { AdminClient, ErrorCode, KafkaError } from 'ottla'
import { adminOperations } from '../behaviour/admin-operations.ts'
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
  let described = await admin.describeDelegationToken({ owners: ['User:alice'] })
  while (!described.some(t => t.tokenId === token.tokenId)) {
    described = await admin.describeDelegationToken({ owners: ['User:alice'] })
  }
  const found = described.find(t => t.tokenId === token.tokenId)
  assert.deepEqual(found?.hmac, token.hmac)
  assert.deepEqual(found.renewers, renewers)

  const bob = new AdminClient(as(world, 'bob'))
  // Known to one controller after the other.
  const renew = async (): Promise<number> => {
    for (;;) {
      try {
        return await bob.renewDelegationToken(token.hmac, { renewPeriodMs: 60_000 })
      } catch (error) {
        if (!isUnknown(error)) throw error
      }
    }
  }
  const later = await renew()
  assert.ok(later > token.issueTimestamp && later < token.expiryTimestamp)
  await bob.expireDelegationToken(token.hmac)
  // Gone for one after the other, too.
  while ((await admin.describeDelegationToken()).some(t => t.tokenId === token.tokenId));
  while (!(await bob.renewDelegationToken(token.hmac).then(() => false, isUnknown)));
  await bob.close()
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
  while (altered[0]?.error?.code === ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART) altered = await begin()
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
