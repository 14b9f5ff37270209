/** OAUTHBEARER: tokens from a function of the application, refreshed before they expire. */
import { EmbeddedCluster } from '@ottla/broker'
import { Producer, type OAuthBearerToken } from 'ottla'

const cluster = await EmbeddedCluster.start({ sasl: { mechanisms: ['OAUTHBEARER'], maxReauthMs: 60_000 } })

/** An unsigned token, as development brokers accept it; yours comes from an identity provider. */
function token(): OAuthBearerToken {
  const now = Date.now() / 1000
  const encoded = [{ alg: 'none' }, { sub: 'alice', iat: now, exp: now + 300 }]
    .map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  console.log('a token is created')
  return { tokenValue: `${encoded}.`, expiration: (now + 300) * 1000, principal: 'alice' }
}

const producer = new Producer(
  {
    'bootstrap.servers': cluster.bootstrapServers,
    'security.protocol': 'sasl_plaintext',
    'sasl.mechanisms': 'OAUTHBEARER',
  },
  { oauthBearerToken: token },
)
const { topic, partition, offset } = await producer.send({ topic: 'orders', value: 'authenticated by a token' })
console.log(`written to ${topic} [${partition}] at offset ${offset}`)
await producer.close()
await cluster.close()
