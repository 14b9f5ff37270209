/** Requests to identity providers, their responses, and the errors without a usable one. */
import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Authority } from '../../../../../../test/harness/certificates.ts'
import { IdentityProvider } from '../../../../../../test/harness/identity-provider.ts'
import { systemClock, type Clock } from '../../../../src/base/clock.ts'
import { resolveConfig, type ClientConfig, type Settings } from '../../../../src/config/resolve.ts'
import { ErrorCode, KafkaError } from '../../../../src/errors.ts'
import { assertionOf } from '../../../../src/network/sasl/oauth/assertion.ts'
import { oidcTokens } from '../../../../src/network/sasl/oauth/oidc.ts'
import type { OAuthBearerToken } from '../../../../src/types.ts'

const NOW = 1_700_000_000_000
const LONGEST_PAUSE_MS = 1000
const SECRET = 'open sesame'
const authority = Authority.make('an authority of identity providers')
const servers: Server[] = []
let provider: IdentityProvider
let secureUrl: string
/** The waits, in ms; none of them takes time. */
let waits: number[] = []

before(async () => {
  provider = await IdentityProvider.start()
  provider.client('alice', SECRET)
  secureUrl = await provider.addTls(authority.issue({ subject: '/CN=provider', names: 'IP:127.0.0.1' }))
})

after(async () => {
  await provider.close()
  for (const server of servers) server.close()
})

// Pauses are over at once, limits of requests only if the test says so.
function hurried(isPatient = true): Clock {
  waits = []
  let skippedMs = 0
  return {
    ...systemClock,
    now: () => systemClock.now() + skippedMs,
    setTimer: (ms, callback) => {
      const isPause = ms <= LONGEST_PAUSE_MS
      if (isPause) waits.push(ms)
      else if (isPatient) return systemClock.setTimer(ms, callback)
      return systemClock.setTimer(0, () => {
        skippedMs += ms
        callback()
      })
    },
  }
}

function settings(changes: Partial<ClientConfig> = {}): Settings {
  const config: ClientConfig = {
    'bootstrap.servers': 'localhost',
    'security.protocol': 'sasl_plaintext',
    'sasl.mechanisms': 'OAUTHBEARER',
    'sasl.oauthbearer.method': 'oidc',
    'sasl.oauthbearer.token.endpoint.url': `${provider.url}/token`,
    'sasl.oauthbearer.client.id': 'alice',
    'sasl.oauthbearer.client.secret': SECRET,
    ...changes,
  }
  return resolveConfig('admin', config).settings
}

async function ask(
  changes: Partial<ClientConfig> = {},
  clock = hurried(),
  signal = new AbortController().signal,
): Promise<OAuthBearerToken> {
  return oidcTokens(settings(changes), clock)('', signal)
}

async function refusal(changes: Partial<ClientConfig> = {}, clock = hurried(), signal?: AbortSignal): Promise<string> {
  try {
    await ask(changes, clock, signal)
  } catch (error) {
    assert.ok(error instanceof KafkaError, String(error))
    assert.ok(!JSON.stringify([error.message, String(error.cause)]).includes('sesame'))
    return error.message
  }
  return 'nothing'
}

/** Accepts connections and passes them to the test. */
async function server(serve: (socket: Socket) => void): Promise<string> {
  const made = createServer(serve)
  servers.push(made)
  await new Promise<void>(resolve => made.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(made.address() as AddressInfo).port}/token` // it listens on a port
}

test('a token has the principal and the expiry of its claims, and the extensions of the settings', async () => {
  const extensions = 'logicalCluster=lkc-1, identityPoolId=pool=1'
  const before = Math.floor(Date.now() / 1000)
  const token = await ask({ 'sasl.oauthbearer.extensions': extensions })
  assert.equal(token.principal, 'alice')
  assert.ok(token.expiration >= (before + 3600) * 1000 && token.expiration % 1000 === 0)
  assert.deepEqual(token.extensions, { logicalCluster: 'lkc-1', identityPoolId: 'pool=1' })
  assert.deepEqual(provider.asked.at(-1), {
    method: 'POST',
    path: '/token',
    authorization: `Basic ${Buffer.from(`alice:${SECRET}`).toString('base64')}`,
    form: { grant_type: 'client_credentials' },
  })
  const other = await ask({ 'sasl.oauthbearer.sub.claim.name': 'iss' })
  assert.equal(other.principal, 'https://issuer.test')
})

test('a token that is not a JWT has the expiry of the response, and the name of the client', async () => {
  provider.troubles.push({ status: 200, body: '{"access_token":"opaque","expires_in":60}' })
  const token = await ask()
  assert.deepEqual([token.tokenValue, token.principal], ['opaque', 'alice'])
  assert.ok(Math.abs(token.expiration - Date.now() - 60_000) < 10_000)
})

test('responses without a usable token are reported', async () => {
  for (const [body, expected] of [
    ['[]', /no access_token/],
    ['null', /not a JSON object/],
    ['{"access_token":7}', /no access_token/],
    ['{"access_token":"opaque"}', /when it expires/],
    ['{"access_token":"opaque","expires_in":"soon"}', /when it expires/],
  ] as const) {
    provider.troubles.push({ status: 200, body })
    assert.match(await refusal(), expected)
  }
})

test('a failing provider is asked four times, with growing pauses; one that refuses is asked once', async () => {
  for (const status of [500, 503, 429, 502]) provider.troubles.push({ status, body: 'busy' })
  const count = provider.asked.length
  assert.match(await refusal(), /\/token answered 502$/)
  assert.equal(provider.asked.length - count, 4)
  assert.deepEqual(waits, [200, 400, 800])
  for (const status of [400, 401, 403, 302]) {
    provider.troubles.push({ status, body: '{"error":"invalid_client","error_description":"who is that?"}' })
    assert.match(await refusal(), new RegExp(`answered ${status}: invalid_client: who is that\\?$`))
    assert.deepEqual(waits, [])
  }
})

test('no server, no response in time, and a truncated response are reported after four attempts', async () => {
  const gone = await server(socket => socket.destroy())
  assert.match(await refusal({ 'sasl.oauthbearer.token.endpoint.url': gone }), /cannot be reached: .*(hang up|RESET)/)
  assert.equal(waits.length, 3)
  const broken = await server(socket => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"access'))
  })
  assert.match(await refusal({ 'sasl.oauthbearer.token.endpoint.url': broken }), /cannot be reached: /)
  const silent = await server(() => undefined)
  const late = await refusal({ 'sasl.oauthbearer.token.endpoint.url': silent }, hurried(false))
  assert.match(late, /cannot be reached: no answer within 20000 ms/)
})

test('an endless response is not read to its end', async () => {
  const endless = await server(socket => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n')
      const more = (): void => void socket.write(Buffer.alloc(65_536, 'x'), error => !error && more())
      more()
    })
  })
  assert.match(await refusal({ 'sasl.oauthbearer.token.endpoint.url': endless }), /more than 1000000 bytes/)
})

test('a closed client sends no further request', async () => {
  const abort = new AbortController()
  const silent = await server(() => abort.abort())
  const message = await refusal({ 'sasl.oauthbearer.token.endpoint.url': silent }, hurried(), abort.signal)
  assert.match(message, /the client is closed/)
  assert.deepEqual(waits, [])
})

test('a provider behind TLS is verified by a file, a folder or a text of authorities, and by nothing else', async () => {
  const folder = join(authority.folder, 'authorities')
  mkdirSync(folder)
  writeFileSync(join(folder, 'a.txt'), 'no certificate')
  writeFileSync(join(folder, 'b.pem'), authority.cert)
  const url = { 'sasl.oauthbearer.token.endpoint.url': `${secureUrl}/token` }
  for (const changes of [
    { 'https.ca.location': authority.certFile },
    { 'https.ca.location': folder },
    { 'https.ca.pem': authority.cert },
  ]) {
    assert.equal((await ask({ ...url, ...changes })).principal, 'alice')
  }
  for (const changes of [{}, { 'https.ca.location': 'probe' }, { 'https.ca.pem': Authority.make('another').cert }]) {
    assert.match(await refusal({ ...url, ...changes }), /cannot be reached: .*certificate/)
  }
  const missing = { 'https.ca.location': join(folder, 'missing.pem') }
  assert.match(await refusal({ ...url, ...missing }), /https\.ca\.location=.*missing\.pem/)
})

test("Azure's metadata service gets the query, and its numbers may be strings", async () => {
  const token = await ask({
    'sasl.oauthbearer.metadata.authentication.type': 'azure_imds',
    'sasl.oauthbearer.token.endpoint.url': `${provider.url}/metadata`,
    'sasl.oauthbearer.config': 'query=api-version=2025-04-07&resource=api://kafka&client_id=42',
  })
  assert.equal(token.principal, 'azure-42')
  const { method, authorization, form } = provider.asked.at(-1) ?? {}
  const query = { 'api-version': '2025-04-07', resource: 'api://kafka', client_id: '42' }
  assert.deepEqual([method, authorization, form], ['GET', '', query])
})

test('an assertion has the claims of the template and, above them, those of the settings, and is signed', () => {
  const file = join(authority.folder, 'template.json')
  writeFileSync(file, '{"header":{"kid":"7","alg":"none"},"payload":{"sub":"template","tenant":1,"exp":5}}')
  for (const [algorithm, keys] of [
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ] as const) {
    const prefix = 'sasl.oauthbearer.assertion'
    const config = settings({
      'sasl.oauthbearer.grant.type': 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      [`${prefix}.algorithm`]: algorithm,
      [`${prefix}.private.key.pem`]: String(keys.privateKey.export({ type: 'pkcs8', format: 'pem' })),
      [`${prefix}.jwt.template.file`]: file,
      [`${prefix}.claim.aud`]: 'the provider',
      [`${prefix}.claim.sub`]: 'alice',
      [`${prefix}.claim.exp.seconds`]: 30,
      [`${prefix}.claim.nbf.seconds`]: 10,
      [`${prefix}.claim.jti.include`]: true,
    })
    const [header = '', payload = '', signature = ''] = assertionOf(config, NOW).split('.')
    const read = (part: string): Record<string, unknown> =>
      JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown> // what was made above
    assert.deepEqual(read(header), { kid: '7', alg: algorithm, typ: 'JWT' })
    const { jti, ...claims } = read(payload)
    const seconds = NOW / 1000
    const times = { iat: seconds, exp: seconds + 30, nbf: seconds - 10 }
    assert.deepEqual(claims, { sub: 'alice', tenant: 1, aud: 'the provider', ...times })
    assert.match(String(jti), /^[0-9a-f-]{36}$/)
    assert.notEqual(assertionOf(config, NOW), `${header}.${payload}.${signature}`)
    const key = createPublicKey(keys.publicKey.export({ type: 'spki', format: 'pem' }))
    const how = { key, dsaEncoding: 'ieee-p1363' as const }
    assert.ok(verify('sha256', Buffer.from(`${header}.${payload}`), how, Buffer.from(signature, 'base64url')))
  }
})

test('unusable keys, templates and files are named, and not shown', () => {
  const grant: Partial<ClientConfig> = { 'sasl.oauthbearer.grant.type': 'urn:ietf:params:oauth:grant-type:jwt-bearer' }
  const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' })
  const key: Partial<ClientConfig> = { 'sasl.oauthbearer.assertion.private.key.pem': String(pem) }
  const broken = join(authority.folder, 'broken.json')
  writeFileSync(broken, 'sesame')
  const es256 = { ...key, 'sasl.oauthbearer.assertion.algorithm': 'ES256' } as const
  const wrong: [Partial<ClientConfig>, RegExp][] = [
    [key, /RS256 needs a key of another kind/],
    [{ 'sasl.oauthbearer.assertion.private.key.pem': 'sesame' }, /private\.key cannot be read/],
    [{ 'sasl.oauthbearer.assertion.private.key.file': '/missing' }, /private\.key\.file cannot be read: ENOENT/],
    [{ 'sasl.oauthbearer.assertion.file': '/missing' }, /assertion\.file cannot be read: ENOENT/],
    [{ ...es256, 'sasl.oauthbearer.assertion.jwt.template.file': broken }, /template\.file is not a JSON object/],
    [{ ...es256, 'sasl.oauthbearer.assertion.jwt.template.file': '/missing' }, /template\.file cannot be read/],
  ]
  for (const [config, expected] of wrong) {
    assert.throws(
      () => assertionOf(settings({ ...grant, ...config }), NOW),
      (error: KafkaError) => {
        assert.equal(error.code, ErrorCode.ERR__INVALID_ARG)
        assert.match(error.message, expected)
        assert.ok(!error.message.includes('sesame'))
        return true
      },
    )
  }
})
