/**
 * Idempotent producers on the wire: nothing new is sent behind a batch that was refused and is not sent again, a batch is
 * sent again only alone, and nothing follows the first batch of an identity before that is answered.
 */
import {
  BatchReader,
  ErrorCode,
  Produce,
  type Decoded,
  type ProduceRequest,
  type ProduceResponse,
  type WireMessage,
} from '@ottla/protocol'
import type { Exchange, WireJudge } from './wire-watch.ts'
import type { Watched } from './watched.ts'

const MOST_REMEMBERED = 50

type BatchState =
  | 'in flight'
  | 'written'
  | 'refused'
  /** The connection was lost. */
  | 'lost'
  /** It was sent again and is out of order: the outcome of those behind it shows whether it was written. */
  | 'in doubt'

interface Batch {
  readonly first: number
  readonly end: number
  readonly isAgain: boolean
  readonly connection: number
  state: BatchState
}

/** The batches of one producer id and epoch for one partition. */
class Sequence {
  readonly name: string
  /** Of a topic that was made anew, it begins in the middle. */
  readonly isWhole: boolean
  /** By first number, in the order in which they were last sent. */
  readonly #batches = new Map<number, Batch>()
  isAcknowledged = false

  constructor(name: string, isWhole: boolean) {
    this.name = name
    this.isWhole = isWhole
  }

  get inFlight(): Batch | undefined {
    return [...this.#batches.values()].find(({ state }) => state === 'in flight')
  }

  has(first: number): boolean {
    return this.#batches.has(first)
  }

  /** The one whose numbers end where others begin. */
  endingAt(first: number): Batch | undefined {
    return [...this.#batches.values()].find(({ end }) => end === first)
  }

  send(first: number, end: number, connection: number): Batch {
    const batch: Batch = { first, end, connection, isAgain: this.#batches.delete(first), state: 'in flight' }
    this.#batches.set(first, batch)
    const [oldest] = this.#batches.values()
    if (this.#batches.size > MOST_REMEMBERED && oldest?.state === 'written') this.#batches.delete(oldest.first)
    return batch
  }
}

interface Part {
  readonly place: string
  readonly sequence: Sequence
  readonly batch: Batch
}

export class SequenceJudge implements WireJudge {
  readonly apis = [Produce.key]
  readonly #world: Watched
  readonly #sequences = new Map<string, Sequence>()
  readonly #inFlight = new Map<Exchange, readonly Part[]>()
  /** Connections on which requests may have waited for the end of a throttle. */
  readonly #throttled = new Set<number>()

  constructor(world: Watched) {
    this.#world = world
  }

  onRequest(exchange: Exchange): void {
    const { host, connection } = exchange
    const parts: Part[] = []
    for (const { name, topicId, partitionData } of (exchange.request.body as Decoded<ProduceRequest>).topicData) {
      for (const { index, records } of partitionData) {
        const header = records === null ? null : new BatchReader(records).next()
        if (header === null || header.baseSequence < 0) continue
        const { producerId, producerEpoch, baseSequence, recordCount } = header
        const place = placeOf(name, topicId, index)
        const sequence = this.#sequence(host, `${place} by ${producerId}/${producerEpoch}`, baseSequence)
        const end = baseSequence + recordCount
        this.#judge(exchange, sequence, baseSequence, end)
        parts.push({ place, sequence, batch: sequence.send(baseSequence, end, connection) })
      }
    }
    if (parts.length > 0) this.#inFlight.set(exchange, parts)
  }

  onResponse(exchange: Exchange, { body }: WireMessage): void {
    const codes = new Map<string, number>()
    const { responses, throttleTimeMs } = body as Decoded<ProduceResponse>
    if (throttleTimeMs > 0) this.#throttled.add(exchange.connection)
    for (const { name, topicId, partitionResponses } of responses) {
      for (const { index, errorCode } of partitionResponses) codes.set(placeOf(name, topicId, index), errorCode)
    }
    for (const { place, sequence, batch } of this.#take(exchange)) {
      batch.state = stateAfter(codes.get(place) ?? ErrorCode.ERR_UNKNOWN, batch.isAgain)
      if (batch.state === 'written') sequence.isAcknowledged = true
    }
  }

  onLost(exchange: Exchange): void {
    for (const { batch } of this.#take(exchange)) batch.state = 'lost'
  }

  #take(exchange: Exchange): readonly Part[] {
    const parts = this.#inFlight.get(exchange) ?? []
    this.#inFlight.delete(exchange)
    return parts
  }

  #judge({ host, connection }: Exchange, sequence: Sequence, first: number, end: number): void {
    const what = `${host} sends ${first}..${end - 1} of ${sequence.name}`
    const isAgain = sequence.has(first)
    const { inFlight, isAcknowledged, isWhole } = sequence
    if (isAgain && inFlight !== undefined) this.#world.complain(`${what} again beside ${wordsOf(inFlight)}`)
    if (isWhole && !isAgain && !isAcknowledged && inFlight !== undefined)
      this.#world.complain(`${what} and does not know yet what has become of ${wordsOf(inFlight)}`)
    const before = sequence.endingAt(first)
    // What is sent again may be in the log, which only its old number can tell. What has waited for a connection, or for
    // the end of a throttle, was to be sent before the other was refused.
    const mayHaveWaited = before?.connection !== connection || this.#throttled.has(connection)
    if (!isAgain && before?.state === 'refused' && !mayHaveWaited)
      this.#world.complain(`${what} behind ${wordsOf(before)}, which was refused and is not sent again`)
  }

  #sequence(host: string, name: string, first: number): Sequence {
    const key = `${host} ${name}`
    let sequence = this.#sequences.get(key)
    if (sequence === undefined) this.#sequences.set(key, (sequence = new Sequence(name, first === 0)))
    return sequence
  }
}

function placeOf(name: string, topicId: string, partition: number): string {
  return `${name === '' ? topicId : name} [${partition}]`
}

function stateAfter(code: number, isAgain: boolean): BatchState {
  if (code === ErrorCode.ERR_NO_ERROR || code === ErrorCode.ERR_DUPLICATE_SEQUENCE_NUMBER) return 'written'
  return isAgain && code === ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER ? 'in doubt' : 'refused'
}

function wordsOf({ first, end }: Batch): string {
  return `${first}..${end - 1}`
}
