/** Processes batches: one of a partition at a time, those of several partitions at once. */
import { ErrorCode } from '@ottla/protocol'
import { backoffMs } from '../../base/backoff.ts'
import { KafkaError } from '../../errors.ts'
import type { Message } from '../../types.ts'
import type { Cursor } from '../partition/cursor.ts'
import { decodeBackoffMs } from '../read/decode-backoff.ts'
import { decodeMessage, isTransient, type Decoding } from '../read/decoding.ts'
import { fetchedMessages, MessageBatch, recordBatches, type TakenBatch } from '../read/message-batch.ts'
import { limited } from './attempts.ts'
import { BatchWork } from './batch-work.ts'
import { asError } from './failure.ts'
import type { RunnerHost } from './host.ts'
import { tracedBatch } from './process-traces.ts'
import { batchRunSettings, type BatchRunOptions, type BatchRunSettings, type RunContext } from './options.ts'
import { RunLoop } from './run-loop.ts'

// Batches are decompressed when they are taken: this limits how much is decompressed at a time.
const MOST_BYTES = 4 * 1024 * 1024

/**
 * Why a batch failed: no retry gets past a message that cannot be deserialized (`final`), unless the reason passes
 * (`waits`): then it was not even tried.
 */
type Failure =
  | { readonly kind: 'final' | 'failed'; readonly error: unknown }
  | { readonly kind: 'waits'; readonly error: KafkaError }

export class BatchRunner<K, V> extends RunLoop<K, V, BatchWork<K, V>, TakenBatch> {
  readonly #options: BatchRunOptions<K, V>
  readonly #settings: BatchRunSettings
  #running = 0

  /** @throws KafkaError ERR__INVALID_ARG */
  constructor(host: RunnerHost<K, V>, options: BatchRunOptions<K, V>) {
    const settings = batchRunSettings(options)
    super(host, settings, options.signal)
    this.#options = options
    this.#settings = settings
  }

  firstOpen(cursor: Cursor): number | null {
    return this.partitions.get(cursor)?.firstOpen ?? null
  }

  openSince(cursor: Cursor): number | null {
    return this.partitions.get(cursor)?.openSince ?? null
  }

  protected take(): TakenBatch | null {
    if (this.#running >= this.#settings.concurrency || this.host.isParked()) return null
    return this.host.reader.takeBatchNow(this.#settings.maxMessages, MOST_BYTES)
  }

  protected begin(taken: TakenBatch): void {
    const { cursor } = taken
    let work = this.partitions.get(cursor)
    if (work === undefined) this.partitions.set(cursor, (work = new BatchWork(cursor)))
    // The next batch of the partition comes when this one is done.
    work.isHeld = true
    this.host.hold(cursor)
    this.#running++
    work.begins(taken)
    void this.#process(work, taken)
  }

  protected onDraining(): void {
    // Nothing waits for a handler.
  }

  protected putBack(cursor: Cursor, work: BatchWork<K, V>): void {
    const { unfinished } = work
    if (unfinished !== null) this.#rewind(cursor, unfinished.taken, unfinished.offset)
  }

  async #process(work: BatchWork<K, V>, taken: TakenBatch): Promise<void> {
    const failure = await this.#handle(work, taken)
    this.#running--
    const rest = work.finished(failure === null ? 'done' : failure.kind === 'waits' ? 'waits' : 'failed')
    if (!work.isReleased) this.#settle(work, taken, rest, failure)
    this.host.wake()
  }

  /** Rejects never. */
  async #handle(work: BatchWork<K, V>, taken: TakenBatch): Promise<Failure | null> {
    const { decoding } = this.host.reader
    let batch: MessageBatch<K, V>
    try {
      batch = decoding === null ? new MessageBatch<K, V>(taken, null) : await this.#decoded(work, taken, decoding)
    } catch (error) {
      return isTransient(error) ? { kind: 'waits', error } : { kind: 'final', error }
    }
    taken.cursor.waitsFor = null
    work.waits = 0
    if (work.isReleased || taken.era !== taken.cursor.offsets.era) return null
    try {
      await this.#call(work, batch)
      return null
    } catch (error) {
      return { kind: 'failed', error }
    }
  }

  /** Up to the first message that cannot be deserialized; rejects if that is the first one. */
  async #decoded(work: BatchWork<K, V>, taken: TakenBatch, decoding: Decoding): Promise<MessageBatch<K, V>> {
    const made: Message<K, V>[] = []
    const messages = fetchedMessages(taken)
    const decode = async (): Promise<void> => {
      for (let next = messages.next(); next.done !== true; next = messages.next()) {
        made.push((await decodeMessage(next.value, decoding)) as Message<K, V>) // the deserializers make K and V
      }
    }
    try {
      await this.host.runningJobs.perform(work, taken.cursor, taken.firstOffset, decode, false)
    } catch (error) {
      if (made.length === 0) throw error
    }
    return new MessageBatch<K, V>(taken, made)
  }

  async #call(work: BatchWork<K, V>, batch: MessageBatch<K, V>): Promise<void> {
    const { client, clock, runningJobs } = this.host
    const { handlerTimeoutMs } = this.#settings
    const attempt = work.given(batch)
    const heartbeat = (): void => {
      if (work.job !== null) runningJobs.touch(work.job)
    }
    const perform = (handle: () => void | Promise<void>): Promise<void> =>
      runningJobs.perform(work, work.cursor, batch.firstOffset, tracedBatch(client, batch, attempt, handle), true)
    if (handlerTimeoutMs === undefined) {
      const context: RunContext = { attempt, signal: work.over, heartbeat }
      await perform(() => this.#options.batchHandler(batch, context))
      return
    }
    const abort = work.beginAttempt()
    const late = (): Error => {
      const why = `the handler of ${work.cursor.name} from offset ${batch.firstOffset} on took longer than handlerTimeoutMs=${handlerTimeoutMs}`
      const error = new KafkaError(ErrorCode.ERR__TIMED_OUT, why)
      // What it marks from now on no longer counts.
      batch.onProcessed = null
      abort.abort(error)
      return error
    }
    try {
      const context: RunContext = { attempt, signal: abort.signal, heartbeat }
      await perform(() => limited(clock, this.#options.batchHandler(batch, context), handlerTimeoutMs, late))
    } finally {
      work.endAttempt(abort)
    }
  }

  /** Lets the next batch of the partition come: what is left of this one, or what follows it. */
  #settle(
    work: BatchWork<K, V>,
    taken: TakenBatch,
    rest: ReturnType<BatchWork<K, V>['finished']>,
    failure: Failure | null,
  ): void {
    const { retries, backoffMs: first, backoffMaxMs } = this.#settings
    if (rest !== null) this.#rewind(work.cursor, taken, rest.offset)
    if (failure?.kind === 'waits') {
      this.#backOff(work, failure.error)
      return
    }
    if (failure !== null && (failure.kind === 'final' || work.failures > retries)) {
      this.fail(asError(failure.error, `the handler of ${work.cursor.name} from offset ${taken.firstOffset} on`))
      return
    }
    // A batch of which nothing was processed must not come in a loop.
    const waitMs =
      failure !== null
        ? backoffMs(work.failures, first, backoffMaxMs, this.host.random)
        : rest?.hasProgress === false
          ? first
          : 0
    if (waitMs === 0) this.#release(work)
    else if (!work.isDraining) work.pauseWith(this.host.clock.setTimer(waitMs, () => this.#release(work)))
  }

  /** The same batch comes after a while; other partitions go on. */
  #backOff(work: BatchWork<K, V>, why: KafkaError): void {
    const { clock, random } = this.host
    const { cursor } = work
    if (cursor.waitsFor === null) this.host.warn(why)
    cursor.waitsFor = why
    const waitMs = decodeBackoffMs(++work.waits, random)
    if (!work.isDraining) work.pauseWith(clock.setTimer(waitMs, () => this.#release(work)))
  }

  #release(work: BatchWork<K, V>): void {
    work.isHeld = false
    this.host.unhold(work.cursor)
  }

  #rewind(cursor: Cursor, taken: TakenBatch, offset: number): void {
    this.host.rewindTo(cursor, offset, taken.era, recordBatches(taken))
  }
}
