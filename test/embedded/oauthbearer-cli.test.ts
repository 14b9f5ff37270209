/** `ottla` and OAUTHBEARER: everything by properties. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { Producer, type OAuthBearerTokenRefreshEvent } from 'ottla'
import { fresh } from '../behaviour/world.ts'
import { IdentityProvider } from '../harness/identity-provider.ts'
import { unsecured } from '../harness/unsecured-token.ts'
import { finished } from './cli-terminal.ts'

let unsafe: EmbeddedCluster
let signed: EmbeddedCluster
let provider: IdentityProvider

before(async () => {
  provider = await IdentityProvider.start()
  provider.client('alice', 'open sesame')
  unsafe = await EmbeddedCluster.start({ sasl: { mechanisms: ['OAUTHBEARER'] } })
  signed = await EmbeddedCluster.start({
    sasl: { mechanisms: ['OAUTHBEARER'], validateToken: token => ({ principal: provider.subjectOf(token) }) },
  })
})

after(async () => {
  await unsafe.close()
  await signed.close()
  await provider.close()
})

function login(cluster: EmbeddedCluster, ...properties: string[]): string[] {
  const all = ['security.protocol=sasl_plaintext', 'sasl.mechanisms=OAUTHBEARER', ...properties]
  return ['-b', cluster.bootstrapServers, ...all.flatMap(property => ['-X', property])]
}

async function exchanges(options: string[]): Promise<void> {
  const topic = fresh('oauth-cli')
  assert.deepEqual(await finished(['produce', ...options, '-t', topic], 'by a token\n'), {
    status: 0,
    out: '',
    err: '',
  })
  const read = await finished(['consume', ...options, '-t', topic, '-o', 'beginning', '-e', '-q'])
  assert.deepEqual(read, { status: 0, out: 'by a token\n', err: '' })
}

test('ottla signs in by tokens that it makes itself', async () => {
  await exchanges(
    login(
      unsafe,
      'enable.sasl.oauthbearer.unsecure.jwt=true',
      'sasl.oauthbearer.config=principal=alice lifeSeconds=60 scope=read,write',
    ),
  )
})

test('ottla signs in by tokens of an identity provider', async () => {
  const oidc = ['sasl.oauthbearer.method=oidc', `sasl.oauthbearer.token.endpoint.url=${provider.url}/token`]
  const id = ['sasl.oauthbearer.client.id=alice', 'sasl.oauthbearer.client.secret=open sesame']
  await exchanges(login(signed, ...oidc, ...id))
  const count = provider.asked.length
  assert.equal(count, 2)
  const { status, err } = await finished(['produce', ...login(signed, ...oidc), '-t', 'x'], 'x')
  assert.equal(status, 2)
  assert.match(err, /needs sasl\.oauthbearer\.client\.id/)
})

test('a program is asked for a token by its stream of events, too', async () => {
  const producer = new Producer({
    'bootstrap.servers': unsafe.bootstrapServers,
    'security.protocol': 'sasl_plaintext',
    'sasl.mechanisms': 'OAUTHBEARER',
    'sasl.oauthbearer.config': 'tenant=7',
  })
  const asked: OAuthBearerTokenRefreshEvent[] = []
  const answering = (async () => {
    for await (const event of producer.events()) {
      if (event.type !== 'oauthbearer-token-refresh') continue
      asked.push(event)
      producer.setOAuthBearerToken(unsecured('alice', 60))
    }
  })()
  assert.equal((await producer.send({ topic: fresh('oauth-events'), value: 'x' })).status, 'persisted')
  await producer.close()
  await answering
  assert.deepEqual(asked, [{ type: 'oauthbearer-token-refresh', config: 'tenant=7' }])
})
