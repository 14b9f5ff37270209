import { test } from 'node:test'
import assert from 'node:assert/strict'
import {
  CreateDelegationToken,
  DescribeDelegationToken,
  ErrorCode,
  ExpireDelegationToken,
  RenewDelegationToken,
  type CreateDelegationTokenResponse,
  type Decoded,
} from '@ottla/protocol'
import { EmbeddedCluster, type AclBinding } from '../../src/index.ts'
import { FakeClock } from '../fake-clock.ts'
import { plain, scram, type Answer } from '../security/sasl/log-in.ts'
import { WireClient } from '../wire-client.ts'

const DAY = 86_400_000
const users = { alice: 'a', bob: 'b', carol: 'c' }

async function world(acls?: AclBinding[]): Promise<{
  clock: FakeClock
  cluster: EmbeddedCluster
  as: (name: keyof typeof users) => Promise<WireClient>
  close: () => Promise<void>
}> {
  const clock = new FakeClock()
  const cluster = await EmbeddedCluster.start({
    clock,
    sasl: { mechanisms: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'], users },
    ...(acls === undefined ? { acls: [] } : { acls }),
  })
  const clients: WireClient[] = []
  const as = async (name: keyof typeof users): Promise<WireClient> => {
    const client = await WireClient.connect(cluster.bootstrapServers)
    clients.push(client)
    await plain(client, name, users[name])
    return client
  }
  const close = async (): Promise<void> => {
    for (const client of clients) client.close()
    await cluster.close()
  }
  return { clock, cluster, as, close }
}

function create(client: WireClient, renewers: string[] = [], maxLifetimeMs = -1, owner: string | null = null) {
  return client.ask(CreateDelegationToken, 3, {
    ownerPrincipalType: owner === null ? null : 'User',
    ownerPrincipalName: owner,
    renewers: renewers.map(principalName => ({ principalType: 'User', principalName })),
    maxLifetimeMs,
  })
}

async function logIn(
  cluster: EmbeddedCluster,
  { tokenId, hmac }: Decoded<CreateDelegationTokenResponse>,
): Promise<Answer & { client: WireClient }> {
  const client = await WireClient.connect(cluster.bootstrapServers)
  const password = Buffer.from(hmac).toString('base64')
  return { ...(await scram(client, 'SCRAM-SHA-512', tokenId, password, ',tokenauth=true')), client }
}

test('a token logs in as its owner until it expires, and cannot create tokens itself', async () => {
  const { clock, cluster, as, close } = await world()
  const token = await create(await as('alice'))
  assert.equal(token.expiryTimestampMs - clock.now(), DAY)
  assert.equal(token.maxTimestampMs - clock.now(), 7 * DAY)
  assert.equal(`${token.principalName} ${token.tokenRequesterPrincipalName}`, 'alice alice')
  const { client, errorCode, sessionLifetimeMs } = await logIn(cluster, token)
  assert.equal(errorCode, 0)
  assert.equal(sessionLifetimeMs, DAY)
  assert.equal((await create(client)).errorCode, ErrorCode.ERR_DELEGATION_TOKEN_REQUEST_NOT_ALLOWED)
  client.close()
  clock.advance(DAY + 1)
  assert.equal((await logIn(cluster, token)).errorCode, ErrorCode.ERR_SASL_AUTHENTICATION_FAILED)
  await close()
})

test('owner and renewers can renew a token up to its maximum lifetime', async () => {
  const { clock, as, close } = await world()
  const [alice, bob, carol] = [await as('alice'), await as('bob'), await as('carol')]
  const { hmac, maxTimestampMs } = await create(alice, ['bob'], 2 * DAY)
  clock.advance(DAY / 2)
  const renewed = await bob.ask(RenewDelegationToken, 2, { hmac, renewPeriodMs: -1 })
  assert.equal(renewed.expiryTimestampMs - clock.now(), DAY)
  const stranger = await carol.ask(RenewDelegationToken, 2, { hmac, renewPeriodMs: -1 })
  assert.equal(stranger.errorCode, ErrorCode.ERR_DELEGATION_TOKEN_OWNER_MISMATCH)
  const nothing = await alice.ask(RenewDelegationToken, 2, { hmac: Buffer.alloc(4), renewPeriodMs: -1 })
  assert.equal(nothing.errorCode, ErrorCode.ERR_DELEGATION_TOKEN_NOT_FOUND)
  clock.advance(DAY - 1)
  const last = await alice.ask(RenewDelegationToken, 2, { hmac, renewPeriodMs: -1 })
  assert.equal(last.expiryTimestampMs, maxTimestampMs)
  clock.advance(DAY)
  const late = await alice.ask(RenewDelegationToken, 2, { hmac, renewPeriodMs: -1 })
  assert.equal(late.errorCode, ErrorCode.ERR_DELEGATION_TOKEN_NOT_FOUND)
  await close()
})

test('a token can be expired earlier, or at once', async () => {
  const { clock, cluster, as, close } = await world()
  const alice = await as('alice')
  const token = await create(alice)
  const { hmac } = token
  const sooner = await alice.ask(ExpireDelegationToken, 2, { hmac, expiryTimePeriodMs: 5000 })
  assert.equal(sooner.expiryTimestampMs - clock.now(), 5000)
  assert.equal((await alice.ask(ExpireDelegationToken, 2, { hmac, expiryTimePeriodMs: -1 })).errorCode, 0)
  assert.equal((await logIn(cluster, token)).errorCode, ErrorCode.ERR_SASL_AUTHENTICATION_FAILED)
  const again = await alice.ask(ExpireDelegationToken, 2, { hmac, expiryTimePeriodMs: -1 })
  assert.equal(again.errorCode, ErrorCode.ERR_DELEGATION_TOKEN_NOT_FOUND)
  const next = await create(alice)
  await alice.ask(ExpireDelegationToken, 2, { hmac: next.hmac, expiryTimePeriodMs: 1000 })
  clock.advance(1001)
  const late = await alice.ask(RenewDelegationToken, 2, { hmac: next.hmac, renewPeriodMs: -1 })
  assert.equal(late.errorCode, ErrorCode.ERR_DELEGATION_TOKEN_EXPIRED)
  await close()
})

test('users see their own tokens, and those of others with permission', async () => {
  const binding: AclBinding = {
    resourceType: 'user',
    name: 'User:alice',
    resourcePatternType: 'literal',
    principal: 'User:carol',
    host: '*',
    permissionType: 'allow',
    operation: 'describe-tokens',
  }
  const { as, close } = await world([binding, { ...binding, operation: 'create-tokens' }])
  const [alice, bob, carol] = [await as('alice'), await as('bob'), await as('carol')]
  const own = await create(alice)
  const shared = await create(alice, ['bob'])
  const other = await create(bob)
  const forAlice = await create(carol, [], -1, 'alice')
  assert.equal(`${forAlice.principalName} ${forAlice.tokenRequesterPrincipalName}`, 'alice carol')
  const denied = await create(bob, [], -1, 'alice')
  assert.equal(denied.errorCode, ErrorCode.ERR_DELEGATION_TOKEN_AUTHORIZATION_FAILED)
  const seen = async (client: WireClient, owner?: string): Promise<string[]> => {
    const owners = owner === undefined ? null : [{ principalType: 'User', principalName: owner }]
    return (await client.ask(DescribeDelegationToken, 3, { owners })).tokens.map(({ tokenId }) => tokenId)
  }
  assert.deepEqual(await seen(alice), [own.tokenId, shared.tokenId, forAlice.tokenId])
  assert.deepEqual(await seen(bob), [shared.tokenId, other.tokenId])
  assert.deepEqual(await seen(bob, 'alice'), [shared.tokenId])
  assert.deepEqual(await seen(carol, 'alice'), [own.tokenId, shared.tokenId, forAlice.tokenId])
  assert.deepEqual((await alice.ask(DescribeDelegationToken, 3, { owners: [] })).tokens, [])
  await close()
})

test('neither anonymous clients nor principals other than users get tokens', async () => {
  await using cluster = await EmbeddedCluster.start()
  const client = await WireClient.connect(cluster.bootstrapServers)
  assert.equal((await create(client)).errorCode, ErrorCode.ERR_DELEGATION_TOKEN_REQUEST_NOT_ALLOWED)
  const described = await client.ask(DescribeDelegationToken, 3, { owners: null })
  assert.equal(described.errorCode, ErrorCode.ERR_DELEGATION_TOKEN_REQUEST_NOT_ALLOWED)
  client.close()
  const { as, close } = await world()
  const alice = await as('alice')
  const group = await alice.ask(CreateDelegationToken, 3, {
    ownerPrincipalType: null,
    ownerPrincipalName: null,
    renewers: [{ principalType: 'Group', principalName: 'x' }],
    maxLifetimeMs: -1,
  })
  assert.equal(group.errorCode, ErrorCode.ERR_INVALID_PRINCIPAL_TYPE)
  await close()
})
