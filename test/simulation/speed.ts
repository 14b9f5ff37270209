/** How fast virtual time passes: three brokers, five clients and a fault every second. */
import { Flag } from './flag.ts'
import { read } from './ways.ts'
import { runPlan, type World } from './world.ts'
import { Writer } from './writers.ts'

const TOPIC = 'pace'
const WRITERS = 2
const PARTITIONS = 6
const CLOSE_LIMIT_MS = 120_000
const waysOfReaders = ['iterate', 'run', 'batches'] as const

/** The figure in words. */
export async function measureSpeed(seed: number, minutes: number): Promise<string> {
  const begun = performance.now()
  const plan = { workload: 'pace', seed, tempo: 'dense', minutes, without: [], most: Infinity } as const
  const { faults, ms } = await runPlan(plan, pace)
  const speed = Math.round(ms / (performance.now() - begun))
  const clients = WRITERS + waysOfReaders.length
  return `3 brokers, ${clients} clients, ${faults.length} faults in ${minutes * 60} s: ${speed} virtual s per s in one process`
}

async function pace(world: World): Promise<void> {
  world.cluster.createTopic(TOPIC, { partitions: PARTITIONS, replicationFactor: 3 })
  const over = new Flag()
  const writers = Array.from({ length: WRITERS }, (_, i) => new Writer(world, `writer-${i}`, TOPIC, true))
  const readers = waysOfReaders.map(way => {
    const name = `reader ${way}`
    const consumer = world.consumer(name, { 'group.id': 'pace', 'auto.offset.reset': 'earliest' })
    consumer.subscribe([TOPIC])
    const reading = read(world, {
      consumer,
      name,
      way,
      dice: world.simulation.dice(name),
      isOver: () => over.isSet(),
      onMessage: () => undefined,
      onDone: () => undefined,
    })
    return { name, consumer, reading }
  })
  for (const writer of writers) writer.start(world.now + world.stormMs)
  await world.storm({ everyMs: 1000 })
  await Promise.all(writers.map(writer => writer.finish()))
  over.set()
  for (const { name, consumer, reading } of readers) {
    await world.settle(consumer.close(), CLOSE_LIMIT_MS, `closing ${name}`)
    await reading
  }
}
