/** A run that ends by itself. */
import type { Consumer } from 'ottla'

/** Handles so many messages, then ends. */
export async function handle(reader: Consumer, count: number, work: () => unknown = () => undefined): Promise<void> {
  const stop = new AbortController()
  let handled = 0
  await reader.run({
    signal: stop.signal,
    handler: async () => {
      await work()
      if (++handled === count) stop.abort()
    },
  })
}
