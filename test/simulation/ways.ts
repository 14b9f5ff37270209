/** Every way of reading. */
import type { Consumer, Message, RunOptions } from 'ottla'
import type { Dice } from '@ottla/broker/simulation'
import { inWords, type World } from './world.ts'

export const ways = ['poll', 'readMessage', 'iterate', 'batches', 'run', 'run by key', 'partitions'] as const

export type Way = (typeof ways)[number]

export interface Reading {
  readonly consumer: Consumer
  readonly name: string
  readonly way: Way
  readonly dice: Dice
  readonly isOver: () => boolean
  /** Called when the program has a message in its hands. */
  readonly onMessage: (message: Message) => Promise<void> | void
  /** Called when the program has done with what it was given. */
  readonly onDone: () => Promise<void> | void
  /** What a run does about failed messages. */
  readonly onFailure?: Pick<RunOptions, 'retry' | 'deadLetter'>
}

/** Reads until it is over, as a program would that goes on after errors. */
export async function read(world: World, reading: Reading): Promise<void> {
  while (!reading.isOver()) {
    try {
      await once[reading.way](world, reading)
    } catch (error) {
      world.note(`${reading.name} ${reading.way}: ${inWords(error)}`)
    }
    // A consumer that is closed ends at once.
    if (reading.way !== 'poll' && reading.way !== 'readMessage') await world.sleep(1)
  }
}

const once: Record<Way, (world: World, reading: Reading) => Promise<void>> = {
  async poll(world, { consumer, dice, onMessage, onDone }) {
    const event = await consumer.poll(dice.pick([0, 100, 1000]))
    if (event?.type !== 'message') {
      if (event === null) await world.sleep(1)
      return
    }
    await onMessage(event.message)
    await onDone()
  },

  async readMessage(world, { consumer, onMessage, onDone }) {
    const message = await consumer.readMessage(1000).catch(async (error: unknown) => {
      await world.sleep(1)
      throw error
    })
    await onMessage(message)
    await onDone()
  },

  async iterate(_world, { consumer, isOver, onMessage, onDone }) {
    for await (const message of consumer) {
      await onMessage(message)
      await onDone()
      if (isOver()) return
    }
  },

  async batches(_world, { consumer, isOver, onMessage, onDone }) {
    for await (const batch of consumer.batches({ maxMessages: 20 })) {
      // All of them are in the program's hands at once.
      await Promise.all(Array.from(batch, async message => onMessage(message)))
      await onDone()
      if (isOver()) return
    }
  },

  async run(_world, { consumer, dice, onMessage, onFailure }) {
    const concurrency = dice.pick([1, 4, 20])
    await consumer.run({ concurrency, order: 'partition', handler: async message => onMessage(message), ...onFailure })
  },

  async 'run by key'(_world, { consumer, dice, onMessage, onFailure }) {
    const concurrency = dice.pick([2, 4, 20])
    await consumer.run({ concurrency, order: 'key', handler: async message => onMessage(message), ...onFailure })
  },

  async partitions(world, { consumer, name, onMessage }) {
    for await (const stream of consumer.partitions({ drainMs: 5000 })) {
      const reading = (async () => {
        for await (const message of stream) await onMessage(message)
      })()
      reading.catch((error: unknown) => world.note(`${name} stream: ${inWords(error)}`))
    }
  },
}
