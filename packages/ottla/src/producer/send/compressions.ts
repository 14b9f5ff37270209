/** Compresses large batches on other threads, so that nothing else has to wait. */
import type { CodecName, CompressionCodec } from '@ottla/protocol'
import type { Threads } from '../../base/threads.ts'
import { OwnCodec } from '../../cluster/record-codecs.ts'
import type { Batch } from '../queue/batch.ts'
import type { PartitionQueue } from '../queue/partition-queue.ts'

/**
 * In bytes; smaller batches are compressed faster than handed to another thread. Codecs not listed are always fast
 * enough.
 */
const smallestBytes: Partial<Record<CodecName, number>> = { gzip: 16 * 1024, zstd: 64 * 1024 }

/** Node has four threads for such work by default; resolving a broker's address needs one of them. */
const MOST_AT_ONCE = 3

export class Compressions {
  readonly #codec: CompressionCodec
  readonly #level: number
  readonly #threads: Threads
  readonly #smallest: number
  readonly #onReady: (queue: PartitionQueue) => void
  #running = 0
  /** Queues whose heads wait for a thread, in order. */
  readonly #waiting = new Set<PartitionQueue>()

  /** @param onReady - called when a queue's head can be sent, or compressed */
  constructor(codec: CompressionCodec, level: number, threads: Threads, onReady: (queue: PartitionQueue) => void) {
    this.#codec = codec
    this.#level = level
    this.#threads = threads
    // The application's own cannot compress in any other way.
    this.#smallest = codec instanceof OwnCodec ? 0 : (smallestBytes[codec.name] ?? Infinity)
    this.#onReady = onReady
  }

  /** Whether the head of a queue has to wait to be compressed. If so, it is closed to further messages. */
  delay(queue: PartitionQueue, head: Batch): boolean {
    if (head.isCompressed || head.sizeBytes < this.#smallest) return false
    if (this.#running === MOST_AT_ONCE) {
      this.#waiting.add(queue)
      return true
    }
    const compressing = head.compressBeside(this.#codec, this.#level, this.#threads)
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
