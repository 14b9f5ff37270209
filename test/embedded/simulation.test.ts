/** Whole clients and a cluster on virtual time: seeds that once found something, and a service's own test. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { simulate } from '@ottla/broker/simulation'
import { Consumer, Producer } from 'ottla'
import type { Plan } from '../simulation/plan.ts'
import { tempos } from '../simulation/tempo.ts'
import { traceWire } from '../simulation/wire-trace.ts'
import { runPlan } from '../simulation/world.ts'
import { workloads } from '../simulation/workloads/all.ts'

/** With its tempo: what a seed decides may change, and what was found has to be played again. */
interface Entry extends Pick<Plan, 'workload' | 'seed' | 'tempo' | 'minutes'> {
  readonly found: string
}

const corpus = JSON.parse(readFileSync(new URL('../simulation/corpus.json', import.meta.url), 'utf8')) as Entry[]

for (const { workload, seed, tempo, minutes, found } of corpus) {
  test(`seed ${seed} of ${workload}, ${tempo}, passes (${found})`, async () => {
    const { complaints } = await play({ workload, seed, tempo, minutes })
    assert.deepEqual(complaints, [])
  })
}

for (const tempo of tempos) {
  test(`the same seed gives the same trace, another one another (${tempo})`, async () => {
    const run = { workload: 'groups', tempo, minutes: tempo === 'dense' ? 0.5 : 2 }
    const first = await play({ ...run, seed: 7 })
    const again = await play({ ...run, seed: 7 })
    const other = await play({ ...run, seed: 8 })
    assert.ok(first.trace.length > 1000)
    assert.deepEqual(again.trace, first.trace)
    assert.notDeepEqual(other.trace, first.trace)
  })
}

// What docs/simulation.md shows.
test('a service keeps its promise in a storm', async () => {
  await simulate({ seed: 7 }, async simulation => {
    const servers = { 'bootstrap.servers': simulation.bootstrapServers }
    const producer = new Producer({ ...servers, 'enable.idempotence': true }, quiet(simulation.host('orders')))
    const consumer = new Consumer(
      { ...servers, 'group.id': 'bills', 'auto.offset.reset': 'earliest' },
      quiet(simulation.host('bills')),
    )
    const billed = new Set<string>()
    consumer.subscribe(['orders'])
    const billing = consumer.run({ handler: ({ value }) => void billed.add(String(value)) })
    const storm = simulation.storm({ ms: 60_000 })
    for (let i = 0; i < 100; i++) {
      await producer.send({ topic: 'orders', value: `order ${i}` })
      await simulation.sleep(500)
    }
    await storm
    while (billed.size < 100) await simulation.sleep(100)
    await Promise.all([producer.close(), consumer.close()])
    await billing
  })
})

function quiet<H extends object>(host: H): H & { logger: () => void } {
  return { ...host, logger: () => undefined }
}

function play(plan: Pick<Plan, 'workload' | 'seed' | 'tempo' | 'minutes'>) {
  const run = workloads[plan.workload]
  if (run === undefined) throw new Error(`there is no workload ${plan.workload}`)
  return runPlan({ ...plan, without: [], most: Infinity }, async world => {
    traceWire(world)
    await run(world)
  })
}
