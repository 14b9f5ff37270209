/** A transactional producer's identity and calls: does what the table in states.ts allows, and tells the coordinators. */
import { Deadline, type Clock } from '../../base/clock.ts'
import { soon } from '../../base/soon.ts'
import type { Wait } from '../../base/wait.ts'
import { ErrorCode, KafkaError } from '../../errors.ts'
import type { Logger } from '../../observe/logger.ts'
import type { ConsumerGroupMetadata, TopicPartitionOffset } from '../../types.ts'
import type { Identity } from '../batch.ts'
import type { IdempotenceName } from '../idempotence.ts'
import type { IdentityStanding } from '../identity.ts'
import type { PartitionQueue } from '../partition-queue.ts'
import type { PipelineIdentity } from '../pipeline.ts'
import type { SenderTransaction } from '../sender.ts'
import { CallSlot } from './call-slot.ts'
import { TransactionPartitions } from './partitions.ts'
import type { Granted, RequestLimits, TransactionRequests, TransactionVersion } from './requests.ts'
import { mayProduce, maySend, nextState, type TransactionEvent, type TransactionStateName } from './states.ts'
import { transactionVerdict, type Finding, type TransactionVerdict } from './verdicts.ts'

/** What transactions do with the rest of the producer. */
export interface TransactionHost {
  /** Whether messages are accepted; if not, why, and whether those on their way in still are. */
  restrict(reason: string | null, takesLate: boolean): void
  /** Waits until every message has been reported, or until the signal is aborted. */
  flush(signal: AbortSignal): Promise<unknown>
  /** Reports everything that is queued, or waits for room, as given up. */
  giveUp(cause: KafkaError | null): void
  /** Batches that waited may leave. */
  onReady(): void
  /** There is no way on for this producer. */
  onFatal(code: number, message: string): void
}

/** Whether the coordinator knows of an open transaction. */
type Registration = 'none' | 'maybe' | 'certain'

/** What has to be done about the producer id when the transaction has been aborted. */
type Repair = 'none' | 'bump' | 'bump-only'

// The last version of Produce that does not add its partitions to the transaction by itself.
const LAST_V1_PRODUCE = 11
const LATEST_PRODUCE = 0x7fff
const NO_LIMIT: Wait = { timeoutMs: -1, signal: undefined }

// Of these errors the request is not the reason.
const passing = new Set<number>([ErrorCode.ERR__TIMED_OUT, ErrorCode.ERR__DESTROY])

// As statistics tell it; once there is an id, there always is one.
const idempotenceNames: Partial<Record<TransactionStateName, IdempotenceName>> = {
  Init: 'init',
  WaitPID: 'waitPid',
  FatalError: 'fatalError',
}

/** Why a call is not possible. */
const reasons: Record<TransactionStateName, string> = {
  Init: 'initTransactions has to be called first',
  WaitPID: 'initTransactions has not ended yet',
  ReadyNotAcked: 'initTransactions has to be called again, to learn how it has ended',
  Ready: 'no transaction has been begun (beginTransaction)',
  InTransaction: 'a transaction is open',
  BeginCommit: 'the transaction is being committed',
  CommittingTransaction: 'the transaction is being committed',
  CommitNotAcked: 'commitTransaction has to be called again, to learn how it has ended',
  BeginAbort: 'the transaction is being aborted',
  AbortingTransaction: 'the transaction is being aborted',
  AbortedNotAcked: 'abortTransaction has to be called again, to learn how it has ended',
  AbortableError: 'the transaction has to be aborted (abortTransaction)',
  FatalError: 'the producer has had a fatal error',
}

/** One transactional producer's part in the transactions of `transactional.id`. */
export class Transactions implements PipelineIdentity, SenderTransaction {
  readonly id: string
  readonly #requests: TransactionRequests
  readonly #host: TransactionHost
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #calls: CallSlot
  readonly #partitions: TransactionPartitions
  readonly #closing = new AbortController()
  #state: TransactionStateName = 'Init'
  #since: number
  #version: TransactionVersion = 1
  #nextVersion: TransactionVersion = 1
  #current: Identity | null = null
  #grants = 0
  /** Why the transaction has to be aborted. */
  #error: KafkaError | null = null
  #fatal: KafkaError | null = null
  #repair: Repair = 'none'
  #registration: Registration = 'none'
  readonly #groups = new Set<string>()
  #asking: Promise<void> | null = null
  #failed = new AbortController()

  /** @param id - `transactional.id` */
  constructor(id: string, requests: TransactionRequests, host: TransactionHost, clock: Clock, logger: Logger) {
    this.id = id
    this.#requests = requests
    this.#host = host
    this.#clock = clock
    this.#logger = logger
    this.#calls = new CallSlot(clock)
    this.#since = clock.now()
    this.#partitions = new TransactionPartitions(
      queues => this.#addPartitions(queues),
      () => host.onReady(),
    )
    this.#restrict()
  }

  get standing(): IdentityStanding {
    const since = this.#since
    const { producerId, producerEpoch } = this.#current ?? { producerId: -1, producerEpoch: -1 }
    const name = idempotenceNames[this.#state] ?? 'assigned'
    const transaction = { state: this.#state, since, mayProduce: mayProduce(this.#state) }
    return { state: { name, producerId, producerEpoch }, since, grants: this.#grants, transaction }
  }

  /** Whether a transaction has been begun and not been ended. */
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

  /** Why the last transaction had to be aborted, null if it had not. */
  get lastError(): KafkaError | null {
    return this.#error
  }

  // What the pipeline asks and tells.

  get transaction(): this {
    return this
  }

  start(): void {
    // An id is asked for by `initTransactions`.
  }

  get current(): Identity | null {
    return this.#current
  }

  get maxProduceVersion(): number {
    return this.#version === 1 ? LAST_V1_PRODUCE : LATEST_PRODUCE
  }

  /** Nothing is sent again: the transaction is lost anyway. */
  get isLost(): boolean {
    return !maySend(this.#state)
  }

  /** Whether batches for the partition may leave now; if it is not in the transaction yet, it is added. */
  admits(queue: PartitionQueue): boolean {
    if (!maySend(this.#state)) return false
    if (this.#version === 1) return this.#partitions.admits(queue)
    // Committed, it will have been delivered; aborting what the coordinator has not heard of does no harm.
    this.#registration = 'certain'
    return true
  }

  /** The numbers stamped under an id have a gap. */
  gap(identity: Identity | null, reason: string, code: number): void {
    if (identity === null || identity !== this.#current) return
    if (this.#repair === 'none') this.#repair = 'bump'
    this.#fail(code, reason)
  }

  /** A partition's leader refuses the epoch: the coordinator knows whether for a newer instance or for a time-out. */
  fenced(identity: Identity | null, reason: string): void {
    if (identity === null || identity !== this.#current || !maySend(this.#state)) return
    this.#repair = 'bump-only'
    this.#fail(ErrorCode.ERR_INVALID_PRODUCER_EPOCH, reason)
    this.#asking ??= this.#endAborted(this.#limits()).catch((error: unknown) => this.#logFailure(error))
  }

  /** Messages were not delivered; null: the program did not want them any more. */
  lost(error: KafkaError | null): void {
    if (error?.code === ErrorCode.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED) {
      this.#die(error.code, error.message)
      return
    }
    const isAnswer = error !== null && error.code >= ErrorCode.ERR_UNKNOWN
    const code = isAnswer ? error.code : ErrorCode.ERR__INCONSISTENT
    this.#fail(code, `messages were not delivered: ${error?.message ?? 'they were purged'}`, error)
  }

  // The calls of the program.

  /** See Producer.initTransactions. */
  async initialize(wait: Wait): Promise<void> {
    await this.#calls.run('initTransactions', wait, () => {
      this.#require('initTransactions', ['Init'])
      return this.#initialize()
    })
    this.#happen('acknowledge', 'initTransactions')
  }

  /** See Producer.beginTransaction. */
  begin(): void {
    this.#calls.check('beginTransaction')
    this.#require('beginTransaction', ['Ready'])
    this.#version = this.#nextVersion
    this.#error = null
    this.#failed = new AbortController()
    this.#happen('begin', 'beginTransaction')
  }

  /** See Producer.sendOffsetsToTransaction. */
  async sendOffsets(offsets: readonly TopicPartitionOffset[], group: ConsumerGroupMetadata, wait: Wait): Promise<void> {
    const name = 'sendOffsetsToTransaction'
    this.#calls.check(name)
    if (this.#asking !== null) await this.#asking
    this.#require(name, ['InTransaction'])
    if (offsets.length === 0) return
    const over = new AbortController()
    const signals = [over.signal, this.#closing.signal, this.#failed.signal]
    if (wait.signal !== undefined) signals.push(wait.signal)
    const limits = { deadline: Deadline.after(this.#clock, wait.timeoutMs), signal: AbortSignal.any(signals) }
    try {
      await this.#calls.run(name, wait, () => this.#sendOffsets(offsets, group, limits))
    } finally {
      // Unlike the other calls it is not taken up again: it would have to be the same offsets.
      over.abort(new KafkaError(ErrorCode.ERR__TIMED_OUT, `${name} was given up`))
      await this.#calls.idle(NO_LIMIT)
    }
  }

  /** See Producer.commitTransaction. */
  async commit(wait: Wait): Promise<void> {
    const name = 'commitTransaction'
    this.#calls.check(name)
    if (this.#asking !== null) await this.#asking
    await this.#calls.run(name, wait, () => {
      this.#require(name, ['InTransaction'])
      return this.#commit()
    })
    this.#happen('acknowledge', name)
  }

  /** See Producer.abortTransaction. */
  async abort(wait: Wait): Promise<void> {
    const name = 'abortTransaction'
    await this.#calls.run(name, wait, () => {
      this.#require(name, ['InTransaction', 'AbortableError'])
      return this.#abort()
    })
    this.#happen('acknowledge', name)
  }

  /** Waits for what is under way, and aborts what is open: for `close`. Never rejects. */
  async finish(wait: Wait): Promise<void> {
    const ending = this.isOpen ? this.abort(wait) : this.#calls.idle(wait)
    await ending.catch((error: unknown) => this.#logFailure(error))
  }

  /** The producer has had a fatal error. */
  kill(error: KafkaError): void {
    this.#fatal ??= error
    this.#happen('die', error.message)
    this.#failed.abort(this.#fatal)
  }

  close(): void {
    this.#closing.abort(new KafkaError(ErrorCode.ERR__DESTROY, 'the producer is closed'))
  }

  async #initialize(): Promise<void> {
    this.#happen('initialize', 'initTransactions')
    const limits = this.#limits()
    const answer = await this.#answer(`no producer id for '${this.id}'`, limits, this.#requests.initialize(limits))
    this.#survive(answer)
    this.#version = this.#nextVersion = await this.#requests.version(limits)
    this.#use(answer)
    this.#happen('granted', `producer id ${answer.producerId}, transactions of version ${this.#version}`)
  }

  async #addPartitions(queues: ReadonlySet<PartitionQueue>): Promise<boolean> {
    const partitions = [...queues].map(({ topic, partition }) => ({ topic: topic.name, partition }))
    const limits = { ...this.#limits(), signal: AbortSignal.any([this.#closing.signal, this.#failed.signal]) }
    try {
      const added = this.#requests.addPartitions(this.#id(), partitions, limits)
      return this.#conclude(await this.#register('the transaction', limits, added)) === null
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
    const { groupId } = group
    const culprit = `group '${groupId}'`
    if (this.#version === 1 && !this.#groups.has(groupId)) {
      const added = await this.#register(culprit, limits, this.#requests.addOffsets(this.#id(), groupId, limits))
      this.#throwIf(this.#conclude(added))
      this.#groups.add(groupId)
    }
    const sent = this.#requests.commitOffsets(this.#id(), this.#version, group, offsets, limits)
    const finding = await this.#register(culprit, limits, sent)
    if (finding.errorCode === ErrorCode.ERR_INVALID_PRODUCER_EPOCH) {
      this.fenced(this.#current, KafkaError.of(finding.errorCode, finding.culprit).message)
      await this.#asking
      this.#require('sendOffsetsToTransaction', ['InTransaction'])
    }
    this.#throwIf(this.#conclude(finding))
  }

  async #commit(): Promise<void> {
    const name = 'commitTransaction'
    this.#happen('commit', name)
    await this.#host.flush(this.#failed.signal)
    await this.#asking
    this.#require(name, ['BeginCommit'])
    this.#happen('flushed', 'every message has been delivered')
    if (this.#registration !== 'none') {
      const limits = this.#limits()
      const ended = this.#requests.end(this.#id(), this.#version, true, limits)
      const answer = await this.#answer('the transaction cannot be committed', limits, ended)
      this.#require(name, ['CommittingTransaction'])
      if (!this.#isUnheardOf(answer)) {
        this.#throwIf(this.#conclude(answer))
        this.#use(answer)
      }
    }
    this.#ended()
  }

  async #abort(): Promise<void> {
    const name = 'abortTransaction'
    this.#happen('abort', name)
    // Nothing of this transaction is asked for any more.
    this.#failed.abort(new KafkaError(ErrorCode.ERR__STATE, 'the transaction is being aborted'))
    this.#host.giveUp(this.#error)
    await this.#asking
    await this.#host.flush(this.#closing.signal)
    await this.#partitions.idle()
    this.#require(name, ['BeginAbort'])
    this.#happen('drained', 'nothing is under way any more')
    await this.#endAborted(this.#limits())
    this.#require(name, ['AbortingTransaction'])
    this.#ended()
  }

  /** Tells the coordinator that the transaction is aborted; what there is to mend about the producer id is then mended. */
  async #endAborted(limits: RequestLimits): Promise<void> {
    const what = 'the transaction cannot be aborted'
    // An end by an epoch that the coordinator has left behind would be refused; it may still grant the next one (KIP-588).
    const asksToEnd = this.#registration !== 'none' && (this.#repair !== 'bump-only' || this.#version === 2)
    if (asksToEnd) {
      const answer = await this.#answer(what, limits, this.#requests.end(this.#id(), this.#version, false, limits))
      if (this.#judge(answer.errorCode) === 'renew') {
        this.#repair = 'bump'
      } else if (!this.#isUnheardOf(answer)) {
        this.#survive(answer)
        this.#use(answer)
        // The next epoch, which begins all numbers anew.
        if (this.#version === 2) this.#repair = 'none'
      }
      this.#registration = 'none'
    }
    if (this.#repair === 'none') return
    const answer = await this.#answer(what, limits, this.#requests.bump(this.#id(), limits))
    this.#survive(answer)
    this.#use(answer)
    this.#registration = 'none'
    this.#repair = 'none'
  }

  /** A request by which the coordinator learns of the transaction, if it is not refused. */
  async #register(culprit: string, limits: RequestLimits, request: Promise<Finding>): Promise<Finding> {
    const before = this.#registration
    if (before === 'none') this.#registration = 'maybe'
    const finding = await this.#answer(culprit, limits, request)
    if (finding.errorCode === ErrorCode.ERR_NO_ERROR) this.#registration = 'certain'
    else if (this.#registration === 'maybe') this.#registration = before
    return finding
  }

  /** There is nothing to end: the request by which the coordinator was to learn of the transaction did not get there. */
  #isUnheardOf({ errorCode }: Finding): boolean {
    return errorCode === ErrorCode.ERR_INVALID_TXN_STATE && this.#registration === 'maybe'
  }

  #ended(): void {
    this.#registration = 'none'
    this.#repair = 'none'
    this.#asking = null
    this.#groups.clear()
    this.#partitions.clear()
    this.#happen('ended', 'the coordinator knows')
    // It may have changed with the coordinator.
    this.#requests.version(this.#limits()).then(
      version => void (this.#nextVersion = version),
      (error: unknown) => this.#logFailure(error),
    )
  }

  /** The id in force; transactions are not begun before there is one. */
  #id(): Identity {
    if (this.#current === null) throw new Error('a transaction without a producer id')
    return this.#current
  }

  #use({ producerId, producerEpoch }: Granted): void {
    // Version 1 ends transactions without a word about ids.
    if (producerId < 0) return
    this.#grants++
    this.#current = { producerId, producerEpoch, isTransactional: true }
  }

  #limits(): RequestLimits {
    return { deadline: Deadline.after(this.#clock, -1), signal: this.#closing.signal }
  }

  /** The answer; for an error that stands for a refusal (by the finder of coordinators, say), that. */
  async #answer(
    culprit: string,
    { signal }: RequestLimits,
    request: Promise<Partial<Granted> & { readonly errorCode: number }>,
  ): Promise<Granted & Finding> {
    try {
      return { culprit, producerId: -1, producerEpoch: -1, ...(await request) }
    } catch (error) {
      if (!(error instanceof KafkaError) || signal.aborted || passing.has(error.code)) throw error
      return { culprit: error.message, producerId: -1, producerEpoch: -1, errorCode: error.code }
    }
  }

  #judge(code: number): TransactionVerdict {
    // The coordinator may have aborted it by itself (transaction.timeout.ms), which version 2 can recover from.
    if (code === ErrorCode.ERR_INVALID_TXN_STATE && this.#version === 2) return 'abort'
    return transactionVerdict(code)
  }

  /** Does what an answer asks for; the error for the program, or null. */
  #conclude(finding: Finding): KafkaError | null {
    const { errorCode, culprit } = finding
    const { message } = KafkaError.of(errorCode, culprit)
    const verdict = this.#judge(errorCode)
    switch (verdict) {
      case 'ok':
        return null
      case 'again':
      case 'moved':
        return new KafkaError(errorCode, message, { retriable: true })
      case 'renew':
        this.#repair = 'bump'
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

  /** Of requests that there is no way on without: refused, they are fatal. */
  #survive({ errorCode, culprit }: Finding): void {
    if (this.#judge(errorCode) !== 'ok') throw this.#die(errorCode, KafkaError.of(errorCode, culprit).message)
  }

  #throwIf(error: KafkaError | null): void {
    if (error !== null) throw error
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
    // Not while an answer is being taken apart.
    soon(() => {
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
    soon(() => this.#host.onFatal(local, text))
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
    const why = error instanceof Error ? error.message : String(error)
    this.#logger.debug('eos', 'TXN', why)
  }
}
