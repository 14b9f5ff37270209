import type { Api, Decoded } from '@ottla/protocol'
import type { Deadline } from '../base/clock.ts'
import type { KafkaError } from '../errors.ts'
import { type Ring } from '../base/ring.ts'

/** A request in flight. */
export class PendingRequest {
  readonly api: Api<unknown, unknown>
  readonly version: number
  readonly correlationId: number
  /** When it times out. */
  readonly deadline: Deadline
  readonly sentAt: number
  /** @param bytes of the response, without its length prefix */
  readonly resolve: (response: Decoded<unknown>, bytes: number) => void
  readonly reject: (error: KafkaError) => void
  /** It timed out, but its response still has to be read in its turn. */
  abandoned = false

  constructor(
    api: Api<unknown, unknown>,
    version: number,
    correlationId: number,
    sentAt: number,
    deadline: Deadline,
    resolve: PendingRequest['resolve'],
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

/** Requests of one connection, in order: Kafka answers them in the order in which they were sent. */
export type InFlight = Ring<PendingRequest>

/** The earliest deadline among the pending requests, or Infinity. */
export function earliestExpiry(inFlight: InFlight): number {
  let earliest = Infinity
  for (let i = 0; i < inFlight.length; i++) {
    const pending = inFlight.peek(i)
    if (pending !== undefined && !pending.abandoned) earliest = Math.min(earliest, pending.deadline.at)
  }
  return earliest
}
