/** The share queue as the source of a decoder: each message for as long as its lock holds. */
import { Decoder, type DecoderHost, type DecoderSource, type DecodeResult } from '../read/decoder.ts'
import { isTransient, type Decoding } from '../read/decoding.ts'
import { decodeLocked, type LockedMessage, type ShareMessage, type ShareSource } from './message.ts'
import type { ShareBackoff } from './share-backoff.ts'
import type { ShareQueue } from './share-queue.ts'

type AnyMessage = ShareMessage<unknown, unknown>

export type ShareDecoder = Decoder<LockedMessage, AnyMessage>
export type DecodedLocked = DecodeResult<LockedMessage, AnyMessage>

export interface ShareDecoderHost extends Pick<DecoderHost, 'runningJobs' | 'wake'> {
  /** A message has been taken: there may be room. */
  onTaken(): void
  readonly backoff: ShareBackoff
}

/** @param decoding null: messages are delivered as they were fetched */
export function shareDecoder(queue: ShareQueue, decoding: Decoding | null, host: ShareDecoderHost): ShareDecoder {
  return new Decoder(new LockedSource(queue, decoding, host), host)
}

class LockedSource implements DecoderSource<LockedMessage, AnyMessage> {
  readonly #queue: ShareQueue
  readonly #decoding: Decoding | null
  readonly #host: ShareDecoderHost

  constructor(queue: ShareQueue, decoding: Decoding | null, host: ShareDecoderHost) {
    this.#queue = queue
    this.#decoding = decoding
    this.#host = host
  }

  take(): LockedMessage | null {
    const message = this.#queue.take()
    if (message !== null) this.#host.onTaken()
    return message
  }

  deserialize(origin: LockedMessage): AnyMessage | Promise<AnyMessage> {
    return this.#decoding === null ? origin : decodeLocked(origin, this.#decoding)
  }

  finish(origin: LockedMessage, message: AnyMessage): AnyMessage {
    this.#host.backoff.ended(origin)
    return message
  }

  keep(origin: LockedMessage): void {
    origin.onLost = () => this.#host.wake()
  }

  unkeep(origin: LockedMessage): void {
    origin.onLost = null
  }

  /** Without its lock the broker delivers it again. */
  isWithdrawn(origin: LockedMessage): boolean {
    return origin.state !== 'given'
  }

  isLost(origin: LockedMessage): boolean {
    return origin.state !== 'given'
  }

  putBack(origin: LockedMessage): void {
    this.#queue.putBack(origin)
  }

  postpone(origin: LockedMessage, error: unknown): boolean {
    const { backoff } = this.#host
    if (isTransient(error)) backoff.postpone(origin, error)
    else backoff.ended(origin)
    return isTransient(error)
  }

  placeOf({ source }: LockedMessage): ShareSource {
    return source
  }
}
