/** A transactional producer's identity and calls: follows the table in states.ts, and sends the requests. */
import { onAbort } from '../../base/abort.ts'
import { Deadline, type Clock } from '../../base/clock.ts'
import { enqueueMicrotask } from '../../base/microtask.ts'
import { messageOf } from '../../base/unknown-error.ts'
import type { Wait } from '../../base/wait.ts'
import { ErrorCode, KafkaError } from '../../errors.ts'
import type { ChannelClient, TransactionPayload } from '../../observe/channel-payloads.ts'
import { channels } from '../../observe/channels.ts'
import type { Logger } from '../../observe/logger.ts'
import type { ConsumerGroupMetadata, TopicPartitionOffset } from '../../types.ts'
import type { IdentityStatus, PipelineIdentity, SenderTransaction } from '../idempotence/identity.ts'
import type { IdempotenceName } from '../idempotence/states.ts'
import type { Identity } from '../queue/batch.ts'
import type { PartitionQueue } from '../queue/partition-queue.ts'
import { CallSlot } from './call-slot.ts'
import { Coordination } from './coordination.ts'
import { TransactionPartitions } from './partitions.ts'
import type { RequestLimits, TransactionRequests } from './requests.ts'
import { mayProduce, maySend, nextState, type TransactionEvent, type TransactionStateName } from './states.ts'
import { transactionVerdict, type Finding } from './verdicts.ts'

/** What transactions use of the producer. */
export interface TransactionHost {
  /** As channels name it. */
  readonly client: ChannelClient
  /** Why messages are not accepted (null if they are), and whether those being serialized still are. */
  restrict(reason: string | null, acceptsPending: boolean): void
  /** Waits until every message has been reported, or until the signal aborts. */
  flush(signal: AbortSignal): Promise<unknown>
  /** Fails everything that is queued or waits for room. */
  giveUp(cause: KafkaError | null): void
  /** Why no broker answers, if known. */
  connectionError(): KafkaError | null
  /** Waiting batches may be sent. */
  onReady(): void
  /** The producer can no longer be used. */
  onFatal(code: number, message: string): void
}

// The last version of Produce that does not register its partitions with the transaction.
const LAST_V1_PRODUCE = 11
const LATEST_PRODUCE = 0x7fff
const NO_LIMIT: Wait = { timeoutMs: -1, signal: undefined }

// For the statistics; once there is an id, there always is one.
const idempotenceNames: Partial<Record<TransactionStateName, IdempotenceName>> = {
  Init: 'init',
  WaitPID: 'waitPid',
  FatalError: 'fatalError',
}

/** Why a call is not possible. */
const reasons: Record<TransactionStateName, string> = {
  Init: 'initTransactions has to be called first',
  WaitPID: 'initTransactions has not ended yet',
  ReadyNotAcked: 'initTransactions has to be called again for its outcome',
  Ready: 'no transaction has been begun (beginTransaction)',
  InTransaction: 'a transaction is open',
  BeginCommit: 'the transaction is being committed',
  CommittingTransaction: 'the transaction is being committed',
  CommitNotAcked: 'commitTransaction has to be called again for its outcome',
  BeginAbort: 'the transaction is being aborted',
  AbortingTransaction: 'the transaction is being aborted',
  AbortedNotAcked: 'abortTransaction has to be called again for its outcome',
  AbortableError: 'the transaction has to be aborted (abortTransaction)',
  FatalError: 'the producer had a fatal error',
}

/** One instance's part in the transactions of `transactional.id`. */
export class Transactions implements PipelineIdentity, SenderTransaction {
  readonly id: string
  readonly #coordination: Coordination
  readonly #host: TransactionHost
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #calls: CallSlot
  readonly #partitions: TransactionPartitions
  readonly #closing = new AbortController()
  #state: TransactionStateName = 'Init'
  #since: number
  /** Why the transaction has to be aborted. */
  #error: KafkaError | null = null
  #fatal: KafkaError | null = null
  /** Pending while the coordinator decides whether the epoch was fenced. */
  #checkingEpoch: Promise<void> | null = null
  #failed = new AbortController()

  /** @param id - `transactional.id` */
  constructor(id: string, requests: TransactionRequests, host: TransactionHost, clock: Clock, logger: Logger) {
    this.id = id
    this.#coordination = new Coordination(requests)
    this.#host = host
    this.#clock = clock
    this.#logger = logger
    this.#calls = new CallSlot(clock, () => host.connectionError())
    this.#since = clock.now()
    this.#partitions = new TransactionPartitions(
      queues => this.#addPartitions(queues),
      () => host.onReady(),
    )
    this.#restrict()
  }

  get status(): IdentityStatus {
    const since = this.#since
    const { current, grants } = this.#coordination
    const { producerId, producerEpoch } = current ?? { producerId: -1n, producerEpoch: -1 }
    const name = idempotenceNames[this.#state] ?? 'assigned'
    const transaction = { state: this.#state, since, mayProduce: mayProduce(this.#state) }
    return { state: { name, producerId, producerEpoch }, since, grants, transaction }
  }

  /** Whether a transaction has begun and not ended. */
  get isOpen(): boolean {
    return this.#state === 'InTransaction' || this.#state === 'AbortableError'
  }

  get isInitialized(): boolean {
    return this.#state !== 'Init' && this.#state !== 'WaitPID' && this.#state !== 'ReadyNotAcked'
  }

  /** Whether there has been a fatal error. */
  get isDead(): boolean {
    return this.#fatal !== null
  }

  /** Why the last transaction had to be aborted, or null. */
  get lastError(): KafkaError | null {
    return this.#error
  }

  // Called by the pipeline.

  get transaction(): this {
    return this
  }

  start(): void {
    // `initTransactions` requests an id.
  }

  get current(): Identity | null {
    return this.#coordination.current
  }

  get maxProduceVersion(): number {
    return this.#coordination.version === 1 ? LAST_V1_PRODUCE : LATEST_PRODUCE
  }

  /** Whether nothing is retried, because the transaction cannot be committed anyway. */
  get isLost(): boolean {
    return !maySend(this.#state)
  }

  /** Whether batches for the partition may be sent now; adds the partition to the transaction if needed. */
  admits(queue: PartitionQueue): boolean {
    if (!maySend(this.#state)) return false
    if (this.#coordination.version === 1) return this.#partitions.admits(queue)
    this.#coordination.joined()
    return true
  }

  /** A sequence stamped with an id has a gap. */
  gap(identity: Identity | null, reason: string, code: number): void {
    if (identity === null || identity !== this.current) return
    this.#coordination.needsBump()
    this.#fail(code, reason)
  }

  /** A partition's leader refuses the epoch: the coordinator knows whether for a newer instance or a timeout. */
  fenced(identity: Identity | null, reason: string): void {
    if (identity === null || identity !== this.current || !maySend(this.#state)) return
    this.#coordination.isOutdated()
    this.#fail(ErrorCode.ERR_INVALID_PRODUCER_EPOCH, reason)
    this.#checkingEpoch ??= this.#checkEpoch()
  }

  /** Messages were not delivered; null if the application purged them. */
  lost(error: KafkaError | null): void {
    if (error?.code === ErrorCode.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED) {
      this.#die(error.code, error.message)
      return
    }
    const isAnswer = error !== null && error.code >= ErrorCode.ERR_UNKNOWN
    const code = isAnswer ? error.code : ErrorCode.ERR__INCONSISTENT
    this.#fail(code, `messages were not delivered: ${error?.message ?? 'they were purged'}`, error)
  }

  // Called by the application.

  /** See `Producer.initTransactions`. */
  async initialize(wait: Wait): Promise<void> {
    const name = 'initTransactions'
    await this.#run(name, wait, () => this.#initialize(name))
    this.#happen('acknowledge', name)
  }

  /** See `Producer.beginTransaction`. */
  begin(): void {
    this.#calls.check('beginTransaction')
    this.#require('beginTransaction', ['Ready'])
    this.#coordination.begin()
    this.#error = null
    this.#failed = new AbortController()
    this.#happen('begin', 'beginTransaction')
  }

  /** See `Producer.sendOffsetsToTransaction`. */
  async sendOffsets(offsets: readonly TopicPartitionOffset[], group: ConsumerGroupMetadata, wait: Wait): Promise<void> {
    const name = 'sendOffsetsToTransaction'
    this.#calls.check(name)
    const over = new AbortController()
    const { signal: failed } = this.#failed
    const stopListening = onAbort(failed, () => over.abort(failed.reason))
    try {
      const limits = { deadline: Deadline.after(this.#clock, wait.timeoutMs), signal: over.signal }
      await this.#run(name, wait, () => this.#sendOffsets(offsets, group, limits))
    } finally {
      stopListening()
      // Unlike the other calls, it is not resumed: that would need the same offsets.
      over.abort(new KafkaError(ErrorCode.ERR__TIMED_OUT, `${name} was given up`))
      await this.#calls.idle(NO_LIMIT)
    }
  }

  /** See `Producer.commitTransaction`. */
  async commit(wait: Wait): Promise<void> {
    const name = 'commitTransaction'
    await this.#run(name, wait, () => this.#commit(name))
    this.#happen('acknowledge', name)
  }

  /** See `Producer.abortTransaction`. */
  async abort(wait: Wait): Promise<void> {
    const name = 'abortTransaction'
    await this.#run(name, wait, () => this.#abort(name))
    this.#happen('acknowledge', name)
  }

  /** For `close`: waits for the current call, and aborts an open transaction. Never rejects. */
  async finish(wait: Wait): Promise<void> {
    const ending = this.isOpen ? this.abort(wait) : this.#calls.idle(wait)
    await ending.catch((error: unknown) => this.#logFailure(error))
  }

  /** The producer had a fatal error. */
  kill(error: KafkaError): void {
    this.#fatal ??= error
    this.#happen('die', error.message)
    this.#failed.abort(this.#fatal)
  }

  close(): void {
    const reason = new KafkaError(ErrorCode.ERR__DESTROY, 'the producer is closed')
    this.#closing.abort(reason)
    this.#failed.abort(reason)
  }

  /** Publishes a call, if anybody subscribes. */
  #run(operation: TransactionPayload['operation'], wait: Wait, start: () => Promise<void>): Promise<void> {
    const run = (): Promise<void> => this.#calls.run(operation, wait, start)
    if (!channels.transaction.hasSubscribers) return run()
    return channels.transaction.trace({ client: this.#host.client, operation }, run)
  }

  async #initialize(name: string): Promise<void> {
    this.#require(name, ['Init'])
    this.#happen('initialize', name)
    let answer: Finding
    try {
      answer = await this.#coordination.initialize({ ...this.#limits(), failFast: true })
    } catch (error) {
      // The application may correct it (`setSaslCredentials`) and call again.
      if (!this.#closing.signal.aborted) this.#happen('unreachable', String(error))
      throw error
    }
    this.#requireOk(answer)
    this.#happen('granted', `transactions of version ${this.#coordination.version}`)
  }

  async #addPartitions(queues: ReadonlySet<PartitionQueue>): Promise<boolean> {
    const partitions = [...queues].map(({ topic, partition }) => ({ topic: topic.name, partition }))
    const limits = { ...this.#limits(), signal: this.#failed.signal }
    try {
      return this.#conclude(await this.#coordination.addPartitions(partitions, limits)) === null
    } catch (error) {
      // Failed meanwhile, or closed.
      this.#logFailure(error)
      return false
    }
  }

  async #sendOffsets(
    offsets: readonly TopicPartitionOffset[],
    group: ConsumerGroupMetadata,
    limits: RequestLimits,
  ): Promise<void> {
    const name = 'sendOffsetsToTransaction'
    if (this.#checkingEpoch !== null) await this.#checkingEpoch
    this.#require(name, ['InTransaction'])
    if (offsets.length === 0) return
    const finding = await this.#coordination.sendOffsets(offsets, group, limits)
    if (finding.errorCode === ErrorCode.ERR_INVALID_PRODUCER_EPOCH) {
      this.fenced(this.current, KafkaError.of(finding.errorCode, finding.culprit).message)
      await this.#checkingEpoch
      this.#require(name, ['InTransaction'])
    }
    throwIf(this.#conclude(finding))
  }

  async #commit(name: string): Promise<void> {
    if (this.#checkingEpoch !== null) await this.#checkingEpoch
    this.#require(name, ['InTransaction'])
    this.#happen('commit', name)
    await this.#host.flush(this.#failed.signal)
    if (this.#checkingEpoch !== null) await this.#checkingEpoch
    this.#require(name, ['BeginCommit'])
    this.#happen('flushed', 'every message has been delivered')
    const finding = await this.#coordination.commit(this.#limits())
    this.#require(name, ['CommittingTransaction'])
    throwIf(this.#conclude(finding))
    this.#ended()
  }

  async #abort(name: string): Promise<void> {
    this.#require(name, ['InTransaction', 'AbortableError'])
    this.#happen('abort', name)
    // Cancels the transaction's other requests.
    this.#failed.abort(new KafkaError(ErrorCode.ERR__STATE, 'the transaction is being aborted'))
    this.#host.giveUp(this.#error)
    if (this.#checkingEpoch !== null) await this.#checkingEpoch
    await this.#host.flush(this.#closing.signal)
    await this.#partitions.idle()
    this.#require(name, ['BeginAbort'])
    this.#happen('drained', 'nothing is in flight any more')
    const finding = await this.#coordination.abort(this.#limits())
    this.#require(name, ['AbortingTransaction'])
    // Throws if it was refused with a transient error: the call has to be repeated.
    throwIf(this.#conclude(finding))
    this.#ended()
  }

  /** Aborts the lost transaction in the background: the answer distinguishes a newer instance from a timeout. */
  async #checkEpoch(): Promise<void> {
    try {
      this.#requireOk(await this.#coordination.abort(this.#limits()))
    } catch (error) {
      this.#logFailure(error)
    }
  }

  #ended(): void {
    this.#checkingEpoch = null
    this.#partitions.clear()
    this.#happen('ended', 'the coordinator has confirmed it')
    this.#coordination.ended(this.#limits()).catch((error: unknown) => this.#logFailure(error))
  }

  #limits(): RequestLimits {
    return { deadline: Deadline.after(this.#clock, -1), signal: this.#closing.signal }
  }

  /** Acts on an answer; returns the error for the application, or null. */
  #conclude(finding: Finding): KafkaError | null {
    const { errorCode, culprit } = finding
    const { message } = KafkaError.of(errorCode, culprit)
    const verdict = this.#coordination.judge(errorCode)
    switch (verdict) {
      case 'ok':
        return null
      case 'retry':
      case 'moved':
        return new KafkaError(errorCode, message, { retriable: true })
      case 'renew':
        this.#coordination.needsBump()
        return this.#fail(errorCode, message)
      case 'abort':
        return this.#fail(errorCode, message)
      case 'fenced':
      case 'fatal':
        return this.#die(errorCode, message)
      default:
        return verdict satisfies never
    }
  }

  /** For requests without which the producer cannot continue: a refusal is fatal. */
  #requireOk({ errorCode, culprit }: Finding): void {
    if (this.#coordination.judge(errorCode) !== 'ok')
      throw this.#die(errorCode, KafkaError.of(errorCode, culprit).message)
  }

  #require(name: string, states: readonly TransactionStateName[]): void {
    if (this.#fatal !== null) throw this.#fatal
    if (states.includes(this.#state)) return
    if (this.#error !== null && this.#state === 'AbortableError') throw this.#error
    throw new KafkaError(ErrorCode.ERR__STATE, `${name} is not possible: ${reasons[this.#state]}`)
  }

  #fail(code: number, message: string, cause?: KafkaError | null): KafkaError {
    const text = `the transaction has to be aborted: ${message}`
    const error = new KafkaError(code, text, { txnRequiresAbort: true, retriable: false, cause })
    if (nextState(this.#state, 'fail') === null) return this.#fatal ?? this.#error ?? error
    this.#error = error
    this.#happen('fail', message)
    this.#failed.abort(error)
    // Not while a response is being processed.
    enqueueMicrotask(() => {
      if (this.#state === 'AbortableError') this.#host.giveUp(error)
    })
    return error
  }

  #die(code: number, message: string): KafkaError {
    if (this.#fatal !== null) return this.#fatal
    const isFenced = transactionVerdict(code) === 'fenced'
    const local = isFenced ? ErrorCode.ERR__FENCED : code
    const text = isFenced
      ? `a newer instance uses the transactional id '${this.id}', or the transaction took longer than transaction.timeout.ms: ${message}`
      : message
    const error = new KafkaError(local, text, { fatal: true, retriable: false })
    this.kill(error)
    enqueueMicrotask(() => this.#host.onFatal(local, text))
    return error
  }

  #happen(event: TransactionEvent, why: string): void {
    const next = nextState(this.#state, event)
    if (next === null) {
      if (this.#fatal !== null) return
      throw new Error(`transaction: ${event} cannot happen in state ${this.#state}`)
    }
    this.#logger.debug('eos', 'TXNSTATE', `${this.#state} -> ${next}: ${why}`)
    this.#state = next
    this.#since = this.#clock.now()
    this.#restrict()
  }

  #restrict(): void {
    this.#host.restrict(mayProduce(this.#state) ? null : reasons[this.#state], maySend(this.#state))
  }

  #logFailure(error: unknown): void {
    const why = messageOf(error)
    this.#logger.debug('eos', 'TXN', why)
  }
}

function throwIf(error: KafkaError | null): void {
  if (error !== null) throw error
}
