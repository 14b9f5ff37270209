/** Renewing a session goes wrong in every way that it can: clients go on by themselves, and nothing is lost. */
import { after, afterEach, before, test } from 'node:test'
import { EmbeddedCluster, type FaultInput } from '@ottla/broker'
import { ApiKey, ErrorCode } from '@ottla/protocol'
import { makeBusy, type Busy } from '../behaviour/busy-clients.ts'
import { fresh } from '../behaviour/world.ts'

let cluster: EmbeddedCluster
let run: Busy | null = null

before(async () => {
  const sasl = { mechanisms: ['SCRAM-SHA-256'], users: { alice: 'secret' }, maxReauthMs: 1300 } as const
  cluster = await EmbeddedCluster.start({ brokers: 3, sasl })
})

afterEach(async () => {
  cluster.clearFaults()
  await run?.close()
  run = null
})

after(() => cluster.close())

async function busy(): Promise<Busy> {
  const topic = fresh('session')
  cluster.createTopic(topic, { partitions: 3 })
  run = await makeBusy(topic, {
    'bootstrap.servers': cluster.bootstrapServers,
    'security.protocol': 'sasl_plaintext',
    'sasl.mechanisms': 'SCRAM-SHA-256',
    'sasl.username': 'alice',
    'sasl.password': 'secret',
    'reconnect.backoff.ms': 20,
    'reconnect.backoff.max.ms': 100,
    'socket.timeout.ms': 1000,
  })
  return run
}

const { ERR_ILLEGAL_SASL_STATE, ERR_SASL_AUTHENTICATION_FAILED, ERR__TRANSPORT } = ErrorCode
const faults: readonly (readonly [number, FaultInput])[] = [
  [ApiKey.SaslHandshake, ERR_ILLEGAL_SASL_STATE],
  [ApiKey.SaslAuthenticate, ERR_SASL_AUTHENTICATION_FAILED],
  [ApiKey.SaslHandshake, ERR__TRANSPORT],
  [ApiKey.SaslAuthenticate, ERR__TRANSPORT],
  [ApiKey.SaslAuthenticate, { cutAfterBytes: 6 }],
  [ApiKey.SaslAuthenticate, { rttMs: 400 }],
  [ApiKey.SaslAuthenticate, { silent: true }],
]

test('whatever goes wrong when a session is renewed, no message is lost, doubled or out of order', async () => {
  const { reading, witnesses, finish } = await busy()
  for (const [api, fault] of faults) {
    const renewed = witnesses.map(witness => witness.renewed)
    cluster.failNext(api, [fault, fault])
    await reading.until(() => witnesses.every((witness, i) => witness.renewed > (renewed[i] ?? 0) + 1))
  }
  await finish()
})
