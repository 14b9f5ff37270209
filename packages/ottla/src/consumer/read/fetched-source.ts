/** The fetch queue as the source of a decoder. */
import type { Message } from '../../types.ts'
import type { FetchQueue } from '../fetch/fetch-queue.ts'
import { batchesOf, type FetchedMessage } from '../partition/message.ts'
import type { DecodeBackoff } from './decode-backoff.ts'
import { Decoder, type DecoderHost, type DecoderSource, type DecodeResult } from './decoder.ts'
import { deserialize, intercepted, isTransient, type Decoding } from './decoding.ts'

type AnyMessage = Message<unknown, unknown>

export type FetchedDecoder = Decoder<FetchedMessage, AnyMessage>
export type DecodedMessage = DecodeResult<FetchedMessage, AnyMessage>

/** Deserializes what comes out of the fetch queue. */
export function fetchedDecoder(
  queue: FetchQueue,
  decoding: Decoding,
  backoff: DecodeBackoff,
  host: DecoderHost,
): FetchedDecoder {
  return new Decoder(new FetchedSource(queue, decoding, backoff), host)
}

class FetchedSource implements DecoderSource<FetchedMessage, AnyMessage> {
  readonly #queue: FetchQueue
  readonly #decoding: Decoding
  readonly #backoff: DecodeBackoff

  constructor(queue: FetchQueue, decoding: Decoding, backoff: DecodeBackoff) {
    this.#queue = queue
    this.#decoding = decoding
    this.#backoff = backoff
  }

  take(): FetchedMessage | null {
    return this.#queue.take()
  }

  deserialize(origin: FetchedMessage): AnyMessage | Promise<AnyMessage> {
    return deserialize(origin, this.#decoding)
  }

  finish(origin: FetchedMessage, message: AnyMessage): AnyMessage {
    this.#backoff.ended(origin.cursor)
    return intercepted(origin, message, this.#decoding)
  }

  keep(origin: FetchedMessage): void {
    origin.cursor.undelivered = origin
  }

  unkeep({ cursor }: FetchedMessage): void {
    cursor.undelivered = null
  }

  /** The position has moved away from it, or its partition is paused. */
  isWithdrawn(origin: FetchedMessage): boolean {
    return origin.isOver || origin.cursor.paused
  }

  isLost({ cursor }: FetchedMessage): boolean {
    return cursor.dropped
  }

  putBack(origin: FetchedMessage): void {
    if (!origin.isOver) this.#queue.putBack(origin.cursor, origin.offset, batchesOf([origin]))
  }

  postpone(origin: FetchedMessage, error: unknown): boolean {
    const { cursor } = origin
    if (!isTransient(error)) {
      this.#backoff.ended(cursor)
      return false
    }
    // What is over comes no more.
    if (origin.isOver) return true
    this.#backoff.postpone(cursor, error)
    this.putBack(origin)
    return true
  }

  placeOf({ cursor }: FetchedMessage): FetchedMessage['cursor'] {
    return cursor
  }
}
