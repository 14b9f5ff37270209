/** A short run of `npm run chaos`. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { idempotentChaos } from '../chaos/producer/producer-chaos.ts'
import { startKafka, type KafkaCluster } from '../harness/kafka.ts'

const SECONDS = 8
const SEED = 5

let kafka: KafkaCluster

before(async () => {
  kafka = await startKafka({ brokers: 3, proxied: true })
})

after(() => kafka.close())

test('idempotent producers lose, repeat and reorder nothing while brokers, connections and leaders are lost', async () => {
  const lines: string[] = []
  const { complaints, written, read } = await idempotentChaos({
    kafka,
    topic: 'chaos',
    seconds: SECONDS,
    seed: SEED,
    messages: 100,
    faultEveryMs: 700,
    log: line => lines.push(line),
  })
  assert.deepEqual(complaints, [], `seed ${SEED}\n${lines.join('\n')}`)
  assert.ok(written >= read && read > 0, `${read} of ${written} messages were read`)
})
