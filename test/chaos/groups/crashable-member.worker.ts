import { workerData } from 'node:worker_threads'
import { Consumer } from 'ottla'
import type { CrashableMemberOptions } from './crashable-member.ts'

const { config, topic, readCounts } = workerData as CrashableMemberOptions
const consumer = new Consumer(config, { logger: () => undefined })
consumer.subscribe(topic)
for (;;) {
  try {
    for await (const { value } of consumer) Atomics.add(readCounts, Number(value), 1)
  } catch {
    // An iterator rejects once with an error; the member reads on.
  }
}
