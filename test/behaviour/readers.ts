/** Every way of reading behind one interface, for what must hold for all of them. */
import type { Consumer, Message } from 'ottla'

/** What to do after a message: go on; drop what was read ('again', after a seek); stop. */
export type Next = 'on' | 'again' | 'stop'

export interface Reader {
  readonly name: string
  /** Whether a message counts as processed when it is delivered, not when the next one is asked for. */
  readonly storesAtOnce: boolean
  /** Reads until `stop` or until the consumer is closed. The message at which it stops is not processed. */
  readonly read: (consumer: Consumer, each: (message: Message) => Next | Promise<Next>) => Promise<void>
}

const STOP = new Error('stop')

export const readers: readonly Reader[] = [
  {
    name: 'poll',
    storesAtOnce: true,
    async read(consumer, each) {
      while (!consumer.closed) {
        const event = await consumer.poll(50)
        if (event?.type === 'message' && (await each(event.message)) === 'stop') return
      }
    },
  },
  {
    name: 'readMessage',
    storesAtOnce: true,
    async read(consumer, each) {
      for (;;) {
        let message: Message
        try {
          message = await consumer.readMessage()
        } catch (error) {
          if (consumer.closed) return
          throw error
        }
        if ((await each(message)) === 'stop') return
      }
    },
  },
  {
    name: 'for await',
    storesAtOnce: false,
    async read(consumer, each) {
      for await (const message of consumer) if ((await each(message)) === 'stop') return
    },
  },
  {
    name: 'batches()',
    storesAtOnce: false,
    async read(consumer, each) {
      for await (const batch of consumer.batches()) {
        batch.markProcessed(null)
        for (const message of batch) {
          const next = await each(message)
          if (next === 'stop') return
          if (next === 'again') break
          batch.markProcessed(message)
        }
      }
    },
  },
  {
    name: 'partitions()',
    storesAtOnce: false,
    async read(consumer, each) {
      const streams = consumer.partitions()
      const work: Promise<void>[] = []
      for await (const stream of streams) {
        work.push(
          (async () => {
            for await (const message of stream) {
              if ((await each(message)) !== 'stop') continue
              // Not awaited, since it waits for this stream.
              void streams.return?.()
              return
            }
          })(),
        )
      }
      await Promise.all(work)
    },
  },
  ...(['partition', 'key', 'none'] as const).map((order): Reader => ({
    name: `run, order ${order}`,
    storesAtOnce: false,
    async read(consumer, each) {
      const handler = async (message: Message): Promise<void> => {
        if ((await each(message)) === 'stop') throw STOP
      }
      await consumer.run({ concurrency: 1, order, retry: { retries: 0 }, handler }).catch((error: unknown) => {
        if (error !== STOP) throw error
      })
    },
  })),
]
