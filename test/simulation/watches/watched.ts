/** What those that judge the wire know of the world, and where they complain. */
import type { Consumer, ConsumerConfig } from 'ottla'
import type { Simulation } from '@ottla/broker/simulation'

/** A consumer, as it was made. */
export interface MadeConsumer {
  readonly consumer: Consumer
  readonly config: Partial<ConsumerConfig>
}

export interface Watched {
  readonly simulation: Simulation
  /** Virtual ms. */
  readonly now: number
  /** Nothing goes wrong, nor has for a while, and the client can log in. */
  isCalmAt(host: string): boolean
  /** By host. */
  readonly consumers: ReadonlyMap<string, MadeConsumer>
  complain(line: string): void
}
