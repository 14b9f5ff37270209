/**
 * What the coordinator knows of a transactional producer: its id and epoch, whether a transaction is open, its version.
 */
import { ErrorCode, KafkaError } from '../../errors.ts'
import type { ConsumerGroupMetadata, TopicPartition, TopicPartitionOffset } from '../../types.ts'
import type { Identity } from '../queue/batch.ts'
import type { Granted, RequestLimits, TransactionRequests, TransactionVersion } from './requests.ts'
import { transactionVerdict, type Finding, type TransactionVerdict } from './verdicts.ts'

/** Whether the coordinator knows of an open transaction. */
type Registration = 'none' | 'maybe' | 'certain'

/** What to do about the producer id after an abort. */
type Repair = 'none' | 'bump' | 'bump-only'

// The request is not the reason for these errors: it got no answer.
const unanswered = new Set<number>([
  ErrorCode.ERR__TIMED_OUT,
  ErrorCode.ERR__DESTROY,
  ErrorCode.ERR__AUTHENTICATION,
  ErrorCode.ERR__SSL,
  ErrorCode.ERR__TRANSPORT,
  ErrorCode.ERR__BAD_MSG,
])

/**
 * Each call returns the answer to its requests. It rejects if there is none: ERR__TIMED_OUT at the deadline,
 * ERR__DESTROY, or the signal's reason; with `failFast`, also with why no broker can be reached.
 */
export class Coordination {
  readonly #requests: TransactionRequests
  #version: TransactionVersion = 1
  #nextVersion: TransactionVersion = 1
  #current: Identity | null = null
  #grants = 0
  #registration: Registration = 'none'
  #repair: Repair = 'none'
  readonly #groups = new Set<string>()

  constructor(requests: TransactionRequests) {
    this.#requests = requests
  }

  /** The id that batches are stamped with. */
  get current(): Identity | null {
    return this.#current
  }

  /** How many ids or epochs there have been. */
  get grants(): number {
    return this.#grants
  }

  /** The version of the open transaction, or the last one. */
  get version(): TransactionVersion {
    return this.#version
  }

  /** What a code means in this version. */
  judge(code: number): TransactionVerdict {
    // The coordinator may have aborted it by itself (transaction.timeout.ms), which version 2 can recover from.
    if (code === ErrorCode.ERR_INVALID_TXN_STATE && this.#version === 2) return 'abort'
    return transactionVerdict(code)
  }

  /** The sequences have to restart after the abort. */
  needsBump(): void {
    if (this.#repair === 'none') this.#repair = 'bump'
  }

  /** A leader refuses the epoch as outdated: the coordinator decides (KIP-588). */
  isOutdated(): void {
    this.#repair = 'bump-only'
  }

  /** A write is about to register a transaction of version 2. */
  joined(): void {
    // A commit comes after its delivery, and aborting a transaction unknown to the coordinator does no harm.
    this.#registration = 'certain'
  }

  async initialize(limits: RequestLimits): Promise<Finding> {
    const answer = await this.#answer('no producer id', limits, this.#requests.initialize(limits))
    if (answer.errorCode !== ErrorCode.ERR_NO_ERROR) return answer
    this.#version = this.#nextVersion = await this.#requests.version(limits)
    this.#use(answer)
    return answer
  }

  begin(): void {
    this.#version = this.#nextVersion
  }

  addPartitions(partitions: readonly TopicPartition[], limits: RequestLimits): Promise<Finding> {
    return this.#register('the transaction', limits, this.#requests.addPartitions(this.#id(), partitions, limits))
  }

  async sendOffsets(
    offsets: readonly TopicPartitionOffset[],
    group: ConsumerGroupMetadata,
    limits: RequestLimits,
  ): Promise<Finding> {
    const { groupId } = group
    const culprit = `group '${groupId}'`
    if (this.#version === 1 && !this.#groups.has(groupId)) {
      const added = await this.#register(culprit, limits, this.#requests.addOffsets(this.#id(), groupId, limits))
      if (added.errorCode !== ErrorCode.ERR_NO_ERROR) return added
      this.#groups.add(groupId)
    }
    const sent = this.#requests.commitOffsets(this.#id(), this.#version, group, offsets, limits)
    return this.#register(culprit, limits, sent)
  }

  async commit(limits: RequestLimits): Promise<Finding> {
    const culprit = 'the transaction cannot be committed'
    if (this.#registration === 'none') return done(culprit)
    const ended = this.#requests.end(this.#id(), this.#version, true, limits)
    const answer = await this.#answer(culprit, limits, ended)
    if (this.#isUnregistered(answer)) return done(culprit)
    if (answer.errorCode === ErrorCode.ERR_NO_ERROR) this.#use(answer)
    return answer
  }

  /**
   * Aborts the transaction and repairs the producer id if needed. A second call finds nothing left to do.
   *
   * The abort always comes first, even if there may be nothing to abort: it is refused once a newer instance has taken
   * over. While a transaction is open, a coordinator does not check the epoch of a request for the next one, and would
   * fence the newer instance in favour of the older one.
   */
  async abort(limits: RequestLimits): Promise<Finding> {
    const culprit = 'the transaction cannot be aborted'
    if (this.#registration !== 'none' || this.#repair !== 'none') {
      let answer = await this.#end(culprit, limits)
      // The next epoch is requested only if a second answer confirms the first.
      if (this.judge(answer.errorCode) === 'renew') answer = await this.#end(culprit, limits)
      if (this.judge(answer.errorCode) === 'renew') {
        this.#repair = 'bump'
      } else if (!this.#isUnregistered(answer)) {
        if (answer.errorCode !== ErrorCode.ERR_NO_ERROR) return answer
        this.#use(answer)
        // That is the next epoch, which restarts all sequences.
        if (this.#version === 2) this.#repair = 'none'
      }
    }
    this.#registration = 'none'
    if (this.#repair === 'none') return done(culprit)
    const answer = await this.#answer(culprit, limits, this.#requests.bump(this.#id(), limits))
    // Brokers that cannot assign the next epoch outdate one only for a newer instance.
    if (answer.errorCode === ErrorCode.ERR__UNSUPPORTED_FEATURE && this.#repair === 'bump-only')
      return { culprit, errorCode: ErrorCode.ERR_PRODUCER_FENCED }
    if (answer.errorCode !== ErrorCode.ERR_NO_ERROR) return answer
    this.#use(answer)
    this.#repair = 'none'
    return answer
  }

  /** The transaction has ended. Finds out in the background whether the next one has another version. */
  async ended(limits: RequestLimits): Promise<void> {
    this.#registration = 'none'
    this.#repair = 'none'
    this.#groups.clear()
    this.#nextVersion = await this.#requests.version(limits)
  }

  #end(culprit: string, limits: RequestLimits): Promise<Granted & Finding> {
    return this.#answer(culprit, limits, this.#requests.end(this.#id(), this.#version, false, limits))
  }

  /** Sends a request that registers the transaction at the coordinator, unless it is refused. */
  async #register(culprit: string, limits: RequestLimits, request: Promise<Finding>): Promise<Finding> {
    const before = this.#registration
    if (before === 'none') this.#registration = 'maybe'
    const finding = await this.#answer(culprit, limits, request)
    if (finding.errorCode === ErrorCode.ERR_NO_ERROR) this.#registration = 'certain'
    else if (this.#registration === 'maybe') this.#registration = before
    return finding
  }

  /** Whether there is nothing to end, because the request that registers the transaction did not arrive. */
  #isUnregistered({ errorCode }: Finding): boolean {
    return errorCode === ErrorCode.ERR_INVALID_TXN_STATE && this.#registration !== 'certain'
  }

  /** The answer; an error that is a refusal, such as the coordinator finder's, becomes one. */
  async #answer(
    culprit: string,
    { signal }: RequestLimits,
    request: Promise<Partial<Granted> & { readonly errorCode: number }>,
  ): Promise<Granted & Finding> {
    try {
      return { culprit, producerId: -1n, producerEpoch: -1, ...(await request) }
    } catch (error) {
      if (!(error instanceof KafkaError) || signal.aborted || unanswered.has(error.code)) throw error
      return { culprit: error.message, producerId: -1n, producerEpoch: -1, errorCode: error.code }
    }
  }

  #id(): Identity {
    if (this.#current === null) throw new Error('a transaction without a producer id')
    return this.#current
  }

  #use({ producerId, producerEpoch }: Granted): void {
    // Version 1 ends transactions without returning an id.
    if (producerId === -1n) return
    this.#grants++
    this.#current = { producerId, producerEpoch, isTransactional: true }
  }
}

function done(culprit: string): Finding {
  return { errorCode: ErrorCode.ERR_NO_ERROR, culprit }
}
