/** Brokers that answer a login with changed or made-up bytes: the client says so or goes on trying, and works when they behave. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { SaslAuthenticate, SaslHandshake } from '@ottla/protocol'
import fc from 'fast-check'
import { KafkaError, Producer, type ClientConfig } from 'ottla'
import { changed, changes, Corruptor, type Harm } from '../harness/corruptor.ts'
import { unsecured } from '../harness/unsecured-token.ts'

const runs = Number(process.env['OTTLA_FUZZ_RUNS'] ?? 20)
const seed = Number(process.env['OTTLA_FUZZ_SEED'] ?? 8)
const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const
const SECRET = 'tr0ub4dor'

const uncaught: unknown[] = []
const onUncaught = (error: unknown): void => {
  uncaught.push(error)
}

let cluster: EmbeddedCluster
let corruptor: Corruptor

before(async () => {
  cluster = await EmbeddedCluster.start({ sasl: { mechanisms: [...mechanisms], users: { alice: SECRET } } })
  corruptor = await Corruptor.start(Number(cluster.bootstrapServers.split(':')[1]))
  process.on('unhandledRejection', onUncaught)
  process.on('uncaughtException', onUncaught)
})

after(async () => {
  process.off('unhandledRejection', onUncaught)
  process.off('uncaughtException', onUncaught)
  await corruptor.close()
  await cluster.close()
})

function client(mechanism: (typeof mechanisms)[number]): Producer {
  const config: ClientConfig = {
    'bootstrap.servers': corruptor.address,
    'security.protocol': 'sasl_plaintext',
    'sasl.mechanisms': mechanism,
    'socket.timeout.ms': 1000,
    'reconnect.backoff.ms': 5,
    'reconnect.backoff.max.ms': 20,
  }
  const token = mechanism === 'OAUTHBEARER' ? unsecured('alice', 3600) : null
  if (token !== null) return new Producer(config, { logger: () => undefined, oauthBearerToken: () => token })
  return new Producer({ ...config, 'sasl.username': 'alice', 'sasl.password': SECRET }, { logger: () => undefined })
}

/** In place of an answer: its header, and then anything. */
const madeUp: fc.Arbitrary<Harm> = fc.uint8Array({ maxLength: 200 }).map(body => (answer: Buffer) => {
  const bytes = Buffer.concat([answer.subarray(0, 8), body])
  bytes.writeInt32BE(bytes.length - 4, 0)
  return bytes
})
const another: fc.Arbitrary<Harm> = changes.map(wanted => (answer: Buffer) => changed(answer, wanted))

for (const mechanism of mechanisms) {
  test(
    `${mechanism}: no answer to a login hangs the client, and afterwards it gets in`,
    { timeout: 60_000 + runs * 2000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(madeUp, another),
          fc.constantFrom(SaslHandshake, SaslAuthenticate),
          async (harm, api) => {
            corruptor.harm = (answer, key) => (key === api.key ? harm(answer, key) : answer)
            const producer = client(mechanism)
            producer.on('error', ({ error }) => {
              assert.doesNotMatch(error.message, new RegExp(SECRET))
            })
            await producer.getMetadata({ timeoutMs: 100 }).catch((error: unknown) => {
              assert.ok(error instanceof KafkaError, String(error))
            })
            corruptor.harm = answer => answer
            await producer.getMetadata({ timeoutMs: 10_000 })
            await producer.close(0)
            assert.deepEqual(uncaught, [])
          },
        ),
        { numRuns: runs, seed, endOnFailure: true },
      )
    },
  )
}
