import type { Api, Decoded } from '@ottla/protocol'
import type { Deadline } from '../base/clock.ts'
import type { KafkaError } from '../errors.ts'
import { type Ring } from '../base/ring.ts'

/** A request on the wire that waits for its answer. */
export class PendingRequest {
  readonly api: Api<unknown, unknown>
  readonly version: number
  readonly correlationId: number
  /** When it is given up. */
  readonly deadline: Deadline
  readonly sentAt: number
  readonly resolve: (response: Decoded<unknown>) => void
  readonly reject: (error: KafkaError) => void
  /** Nobody waits any more, but the answer still has to be taken off the wire in its turn. */
  abandoned = false

  constructor(
    api: Api<unknown, unknown>,
    version: number,
    correlationId: number,
    sentAt: number,
    deadline: Deadline,
    resolve: (response: Decoded<unknown>) => void,
    reject: (error: KafkaError) => void,
  ) {
    this.api = api
    this.version = version
    this.correlationId = correlationId
    this.sentAt = sentAt
    this.deadline = deadline
    this.resolve = resolve
    this.reject = reject
  }
}

/** Requests of one connection in the order of their answers: Kafka answers in the order it was asked. */
export type InFlight = Ring<PendingRequest>

/** The earliest expiry among the pending requests, or Infinity. */
export function earliestExpiry(inFlight: InFlight): number {
  let earliest = Infinity
  for (let i = 0; i < inFlight.length; i++) {
    const pending = inFlight.peek(i)
    if (pending !== undefined && !pending.abandoned) earliest = Math.min(earliest, pending.deadline.at)
  }
  return earliest
}
