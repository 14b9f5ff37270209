/** Compresses large batches on other threads, so that nothing else has to wait meanwhile. */
import type { CodecName, CompressionCodec } from '@ottla/protocol'
import type { Batch } from '../queue/batch.ts'
import type { PartitionQueue } from '../queue/partition-queue.ts'

/** Below, a batch is compressed sooner than it could be handed over. Bytes; codecs that are not here are too quick for it. */
const smallestBytes: Partial<Record<CodecName, number>> = { gzip: 16 * 1024, zstd: 64 * 1024 }

/** Node has four threads for such work, unless it is told otherwise; looking up a broker's address needs one of them. */
const MOST_AT_ONCE = 3

export class Compressions {
  readonly #codec: CompressionCodec
  readonly #level: number
  readonly #smallest: number
  readonly #onReady: (queue: PartitionQueue) => void
  #running = 0
  /** Whose heads wait for a thread, in their order. */
  readonly #waiting = new Set<PartitionQueue>()

  /** @param onReady - the queue's head may leave, or may be compressed now */
  constructor(codec: CompressionCodec, level: number, onReady: (queue: PartitionQueue) => void) {
    this.#codec = codec
    this.#level = level
    this.#smallest = smallestBytes[codec.name] ?? Infinity
    this.#onReady = onReady
  }

  /** Whether the head of a queue has to wait, because it is to be compressed first. It takes no more messages then. */
  delay(queue: PartitionQueue, head: Batch): boolean {
    if (head.isCompressed || head.sizeBytes < this.#smallest) return false
    if (this.#running === MOST_AT_ONCE) {
      this.#waiting.add(queue)
      return true
    }
    const compressing = head.compressBeside(this.#codec, this.#level)
    if (compressing === null) return false
    queue.closeHead()
    this.#running++
    void compressing.then(() => {
      this.#running--
      const [next] = this.#waiting
      this.#onReady(queue)
      if (next === undefined) return
      this.#waiting.delete(next)
      this.#onReady(next)
    })
    return true
  }
}
