/** A reader of all that is committed in a topic. */
import { Flag } from './flag.ts'
import type { World } from './world.ts'

const CLOSE_LIMIT_MS = 120_000

export interface CommittedReader {
  /** Its group. */
  readonly name: string
  /** Where each value stands. */
  readonly seen: ReadonlyMap<string, readonly string[]>
  close(): Promise<void>
}

export function committedReader(world: World, topic: string): CommittedReader {
  const seen = new Map<string, string[]>()
  const known = new Set<string>()
  const name = `reader of ${topic}`
  const consumer = world.consumer(name, {
    'group.id': name,
    'auto.offset.reset': 'earliest',
    'isolation.level': 'read_committed',
  })
  consumer.subscribe([topic])
  const over = new Flag()
  const reading = (async () => {
    while (!over.isSet()) {
      const event = await consumer.poll(500)
      if (event?.type !== 'message') continue
      const { partition, offset, value } = event.message
      const place = `${partition}:${offset}`
      // After a rebalance it may come again.
      if (known.has(place)) continue
      known.add(place)
      const text = String(value)
      const places = seen.get(text)
      if (places === undefined) seen.set(text, [place])
      else places.push(place)
    }
  })()
  return {
    name,
    seen,
    async close() {
      over.set()
      await world.settle(reading, CLOSE_LIMIT_MS, name)
      await world.settle(consumer.close(), CLOSE_LIMIT_MS, `closing ${name}`)
    },
  }
}
