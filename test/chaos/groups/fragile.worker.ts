import { workerData } from 'node:worker_threads'
import { Consumer } from 'ottla'
import type { FragileOrder } from './fragile.ts'

const { config, topic, readings } = workerData as FragileOrder
const consumer = new Consumer(config, { logger: () => undefined })
consumer.subscribe(topic)
for (;;) {
  try {
    for await (const { value } of consumer) Atomics.add(readings, Number(value), 1)
  } catch {
    // What an iterator rejects with is told once; the member goes on.
  }
}
