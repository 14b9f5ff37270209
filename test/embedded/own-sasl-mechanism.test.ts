/** A SASL mechanism of the application's own (`saslMechanism`). */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient, ErrorCode, type SaslMechanism } from 'ottla'
import { closing } from '../harness/closing.ts'

const quiet = (): void => undefined
let cluster: EmbeddedCluster

before(async () => {
  cluster = await EmbeddedCluster.start({ sasl: { mechanisms: ['PLAIN'], users: { alice: 'secret' } } })
})
after(() => cluster.close())

const plain = (password: string, seen: string[] = []): SaslMechanism => ({
  name: 'PLAIN',
  exchange: (host, port) => {
    seen.push(`${host}:${port}`)
    return {
      start: () => Promise.resolve(Buffer.from(`\0alice\0${password}`)),
      next: () => null,
    }
  },
  close: () => void seen.push('closed'),
})

function admin(saslMechanism: SaslMechanism): AdminClient {
  const config = { 'bootstrap.servers': cluster.bootstrapServers, 'security.protocol': 'sasl_plaintext' } as const
  return closing(new AdminClient(config, { saslMechanism, logger: quiet }))
}

test('it authenticates, and is told where', async () => {
  const seen: string[] = []
  const client = admin(plain('secret', seen))
  await client.getMetadata()
  assert.ok(seen.includes(cluster.bootstrapServers))
  await client.close()
  assert.equal(seen.at(-1), 'closed')
})

test('a refusal, or what it throws, is a failure to authenticate', async () => {
  const isRefused = { code: ErrorCode.ERR__AUTHENTICATION }
  await assert.rejects(admin(plain('wrong')).getMetadata(), isRefused)
  const broken: SaslMechanism = {
    name: 'PLAIN',
    exchange: () => ({ start: () => Promise.reject(new Error('no token today')), next: () => null }),
  }
  await assert.rejects(admin(broken).getMetadata(), { ...isRefused, message: /no token today/ })
  const unknown: SaslMechanism = { ...plain('secret'), name: 'X-OTHER' }
  await assert.rejects(admin(unknown).getMetadata())
})

test('what is no mechanism is refused', () => {
  assert.throws(() => admin({ name: '' } as SaslMechanism), {
    code: ErrorCode.ERR__INVALID_ARG,
    message: /saslMechanism/,
  })
})
