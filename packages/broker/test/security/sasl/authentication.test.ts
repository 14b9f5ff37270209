import { connect } from 'node:net'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ApiKey, ApiVersions, ErrorCode, Metadata, SaslAuthenticate } from '@ottla/protocol'
import { EmbeddedCluster, type EmbeddedClusterOptions, type SaslMechanism } from '../../../src/index.ts'
import { FakeClock } from '../../fake-clock.ts'
import { WireClient } from '../../wire-client.ts'
import { bearer, handshake, plain, scram, send, unsecured } from './log-in.ts'

const all: readonly SaslMechanism[] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']
const users = { alice: 'secret', bob: { password: 'geheim', iterations: 5000, salt: Buffer.from('pepper') } }

async function secured(options: EmbeddedClusterOptions = {}): Promise<[EmbeddedCluster, WireClient]> {
  const cluster = await EmbeddedCluster.start({ ...options, sasl: { mechanisms: all, users, ...options.sasl } })
  return [cluster, await WireClient.connect(cluster.bootstrapServers)]
}

async function again(cluster: EmbeddedCluster, old?: WireClient): Promise<WireClient> {
  old?.close()
  return WireClient.connect(cluster.bootstrapServers)
}

async function works(client: WireClient): Promise<boolean> {
  return client.ask(Metadata, 12, { topics: [] }).then(
    () => true,
    () => false,
  )
}

test('each mechanism accepts the right password or token', async () => {
  const [cluster, first] = await secured()
  let client = first
  assert.equal((await plain(client, 'alice', 'secret')).errorCode, 0)
  assert.ok(await works(client))
  for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
    for (const [name, password] of [
      ['alice', 'secret'],
      ['bob', 'geheim'],
    ] as const) {
      client = await again(cluster, client)
      assert.equal((await scram(client, mechanism, name, password)).errorCode, 0)
      assert.ok(await works(client))
    }
  }
  client = await again(cluster, client)
  assert.equal((await bearer(client, unsecured({ sub: 'carol', exp: Date.now() / 1000 + 60 }))).errorCode, 0)
  assert.ok(await works(client))
  client.close()
  await cluster.close()
})

test('a wrong password is reported and ends the connection', async () => {
  const [cluster, first] = await secured()
  let client = first
  for (const log of [
    () => plain(client, 'alice', 'wrong'),
    () => plain(client, 'nobody', 'secret'),
    () => scram(client, 'SCRAM-SHA-256', 'alice', 'wrong'),
    () => scram(client, 'SCRAM-SHA-512', 'nobody', 'secret'),
  ]) {
    const { errorCode, errorMessage } = await log()
    assert.equal(errorCode, ErrorCode.ERR_SASL_AUTHENTICATION_FAILED)
    assert.match(String(errorMessage), /^Authentication failed/)
    await client.closed
    client = await again(cluster)
  }
  client.close()
  await cluster.close()
})

test('an unknown mechanism is answered with the known ones and ends the connection', async () => {
  const [cluster, client] = await secured({ sasl: { mechanisms: ['SCRAM-SHA-256'] } })
  assert.equal(await handshake(client, 'PLAIN'), ErrorCode.ERR_UNSUPPORTED_SASL_MECHANISM)
  await client.closed
  await cluster.close()
})

test('only ApiVersions is answered before the log-in', async () => {
  const [cluster, client] = await secured()
  const body = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
  assert.equal((await client.ask(ApiVersions, 4, body)).errorCode, 0)
  assert.equal(await works(client), false)
  const hasty = await again(cluster)
  await assert.rejects(send(hasty, '\0alice\0secret'))
  const distracted = await again(cluster)
  await handshake(distracted, 'PLAIN')
  assert.equal(await works(distracted), false)
  await cluster.close()
})

test('an invalid token is reported as JSON first, and refused once the client has confirmed that', async () => {
  const [cluster, client] = await secured({
    sasl: {
      mechanisms: all,
      validateToken: token => {
        if (token !== 'good') throw new Error('bad')
        return { principal: 'dora' }
      },
    },
  })
  const told = await bearer(client, 'bad')
  assert.equal(told.errorCode, 0)
  assert.deepEqual(JSON.parse(told.authBytes.toString()), { status: 'invalid_token' })
  assert.equal((await send(client, '\x01')).errorCode, ErrorCode.ERR_SASL_AUTHENTICATION_FAILED)
  await client.closed
  const other = await again(cluster)
  assert.equal((await bearer(other, 'good')).errorCode, 0)
  other.close()
  await cluster.close()
})

test('by default a token needs a subject and must not have expired', async () => {
  const [cluster, client] = await secured()
  for (const claims of [
    { exp: Date.now() / 1000 + 60 },
    { sub: 'carol' },
    { sub: 'carol', exp: 1 },
    { sub: 'carol', exp: Date.now() / 1000 + 60, nbf: Date.now() / 1000 + 30 },
  ]) {
    const told = await bearer(await again(cluster), unsecured(claims))
    assert.match(told.authBytes.toString(), /invalid_token/, JSON.stringify(claims))
  }
  client.close()
  await cluster.close()
})

test('after a handshake of version 0 the tokens are bare', async () => {
  const [cluster, client] = await secured()
  client.close()
  const [host = '', port = ''] = cluster.bootstrapServers.split(':')
  const ask = async (password: string): Promise<string> => {
    const socket = connect(Number(port), host)
    // Handshake v0, correlation id 7, no client id, PLAIN.
    const request = Buffer.from('001100000000' + '0007' + 'ffff' + '0005' + Buffer.from('PLAIN').toString('hex'), 'hex')
    const token = Buffer.from(`\0alice\0${password}`)
    const framed = (bytes: Buffer): Buffer => {
      const length = Buffer.alloc(4)
      length.writeInt32BE(bytes.length)
      return Buffer.concat([length, bytes])
    }
    socket.write(Buffer.concat([framed(request), framed(token)]))
    let received = Buffer.alloc(0)
    const answer = await new Promise<string>(resolve => {
      socket.on('data', chunk => {
        received = Buffer.concat([received, chunk])
        const rest = received.length < 4 ? 0 : received.length - 4 - received.readInt32BE(0)
        if (rest >= 4) resolve(received.subarray(-rest).toString('hex'))
      })
      socket.on('close', () => resolve('closed'))
    })
    socket.destroy()
    return answer
  }
  assert.equal(await ask('secret'), '00000000')
  assert.equal(await ask('wrong'), 'closed')
  await cluster.close()
})

test('users change while the cluster runs', async () => {
  const [cluster, first] = await secured()
  let client = first
  await plain(client, 'alice', 'secret')
  cluster.setUser('alice', 'changed')
  cluster.setUser('new', 'fresh')
  assert.ok(await works(client), 'who is logged in stays so')
  client = await again(cluster, client)
  assert.equal((await plain(client, 'alice', 'secret')).errorCode, ErrorCode.ERR_SASL_AUTHENTICATION_FAILED)
  client = await again(cluster, client)
  assert.equal((await scram(client, 'SCRAM-SHA-512', 'alice', 'changed')).errorCode, 0)
  client = await again(cluster, client)
  assert.equal((await plain(client, 'new', 'fresh')).errorCode, 0)
  cluster.deleteUser('new')
  client = await again(cluster, client)
  assert.equal(
    (await scram(client, 'SCRAM-SHA-256', 'new', 'fresh')).errorCode,
    ErrorCode.ERR_SASL_AUTHENTICATION_FAILED,
  )
  assert.throws(() => cluster.deleteUser('new'), /there is no user new/)
  await cluster.close()
})

test('a client that does not reauthenticate in time is cut off', async () => {
  const clock = new FakeClock()
  const [cluster, client] = await secured({ clock, sasl: { mechanisms: all, users, maxReauthMs: 60_000 } })
  const { sessionLifetimeMs } = await plain(client, 'alice', 'secret')
  assert.equal(sessionLifetimeMs, 60_000)
  clock.advance(50_000)
  assert.equal((await plain(client, 'alice', 'secret')).errorCode, 0)
  clock.advance(50_000)
  assert.ok(await works(client))
  clock.advance(20_000)
  assert.equal(await works(client), false)
  await cluster.close()
})

test('a session expires with its token, and no later than the cluster’s limit', async () => {
  const clock = new FakeClock()
  const seconds = clock.now() / 1000
  let [cluster, client] = await secured({ clock, sasl: { mechanisms: all, users, maxReauthMs: 60_000 } })
  const long = await bearer(client, unsecured({ sub: 'c', exp: seconds + 3600 }))
  assert.equal(long.sessionLifetimeMs, 60_000)
  client = await again(cluster, client)
  assert.equal((await bearer(client, unsecured({ sub: 'c', exp: seconds + 30 }))).sessionLifetimeMs, 30_000)
  client.close()
  await cluster.close()
  ;[cluster, client] = await secured({ clock })
  assert.equal((await bearer(client, unsecured({ sub: 'c', exp: seconds + 3600 }))).sessionLifetimeMs, 3_600_000)
  client.close()
  await cluster.close()
})

test('reauthentication is for the same user and mechanism, and only where sessions expire', async () => {
  let [cluster, client] = await secured({ sasl: { mechanisms: all, users, maxReauthMs: 60_000 } })
  await plain(client, 'alice', 'secret')
  const other = await plain(client, 'bob', 'geheim')
  assert.equal(other.errorCode, ErrorCode.ERR_SASL_AUTHENTICATION_FAILED)
  assert.match(String(other.errorMessage), /Cannot change principals/)
  await client.closed
  client = await again(cluster)
  await plain(client, 'alice', 'secret')
  const otherwise = await scram(client, 'SCRAM-SHA-256', 'alice', 'secret')
  assert.match(String(otherwise.errorMessage), /is not supported for re-authentication of mechanism 'PLAIN'/)
  await cluster.close()
  ;[cluster, client] = await secured()
  await plain(client, 'alice', 'secret')
  assert.equal(await handshake(client, 'PLAIN'), ErrorCode.ERR_ILLEGAL_SASL_STATE)
  assert.equal((await send(client, '')).errorCode, ErrorCode.ERR_ILLEGAL_SASL_STATE)
  assert.ok(await works(client))
  client.close()
  await cluster.close()
})

test('reauthentication is refused within a second of the last one; an expired session can still be renewed', async () => {
  const clock = new FakeClock()
  const [cluster, client] = await secured({ clock, sasl: { mechanisms: all, users, maxReauthMs: 500 } })
  await plain(client, 'alice', 'secret')
  clock.advance(2000)
  assert.equal((await plain(client, 'alice', 'secret')).errorCode, 0)
  assert.ok(await works(client))
  clock.advance(999)
  assert.equal(await handshake(client, 'PLAIN'), ErrorCode.ERR_ILLEGAL_SASL_STATE)
  clock.advance(1)
  assert.equal((await plain(client, 'alice', 'secret')).errorCode, 0)
  assert.ok(await works(client))
  client.close()
  await cluster.close()
})

test('a log-in can fail on command although the password is right', async () => {
  const [cluster, client] = await secured()
  cluster.failNext(ApiKey.SaslAuthenticate, [ErrorCode.ERR_SASL_AUTHENTICATION_FAILED])
  await handshake(client, 'PLAIN')
  const authBytes = Buffer.from('\0alice\0secret')
  const refused = await client.ask(SaslAuthenticate, 2, { authBytes })
  assert.equal(refused.errorCode, ErrorCode.ERR_SASL_AUTHENTICATION_FAILED)
  await client.closed
  await cluster.close()
})

test('invalid iterations are refused at the start', async () => {
  const sasl = { mechanisms: all, users: { x: { password: 'y', iterations: 0 } } }
  await assert.rejects(EmbeddedCluster.start({ sasl }), RangeError)
})

test('SCRAM passwords of the options are not normalized', async () => {
  for (const [password, lookalike] of [
    ['e\u0301', '\u00e9'],
    ['\ufb01sh', 'fish'],
    ['\u2163', 'IV'],
    ['a\u00a0b', 'a b'],
  ] as const) {
    await using cluster = await EmbeddedCluster.start({
      sasl: { mechanisms: ['SCRAM-SHA-256'], users: { bob: password } },
    })
    const client = await WireClient.connect(cluster.bootstrapServers)
    assert.equal((await scram(client, 'SCRAM-SHA-256', 'bob', password)).errorCode, 0, JSON.stringify(password))
    const other = await again(cluster, client)
    const refused = await scram(other, 'SCRAM-SHA-256', 'bob', lookalike)
    assert.equal(refused.errorCode, ErrorCode.ERR_SASL_AUTHENTICATION_FAILED)
    other.close()
  }
})
