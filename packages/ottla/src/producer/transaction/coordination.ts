/** What the coordinator knows of a transactional producer: its id and epoch, whether a transaction is open, of what version. */
import { ErrorCode, KafkaError } from '../../errors.ts'
import type { ConsumerGroupMetadata, TopicPartition, TopicPartitionOffset } from '../../types.ts'
import type { Identity } from '../queue/batch.ts'
import type { Granted, RequestLimits, TransactionRequests, TransactionVersion } from './requests.ts'
import { transactionVerdict, type Finding, type TransactionVerdict } from './verdicts.ts'

/** Whether the coordinator knows of an open transaction. */
type Registration = 'none' | 'maybe' | 'certain'

/** What has to be done about the producer id when the transaction has been aborted. */
type Repair = 'none' | 'bump' | 'bump-only'

// Of these errors the request is not the reason: it did not get there.
const passing = new Set<number>([
  ErrorCode.ERR__TIMED_OUT,
  ErrorCode.ERR__DESTROY,
  ErrorCode.ERR__AUTHENTICATION,
  ErrorCode.ERR__SSL,
  ErrorCode.ERR__TRANSPORT,
  ErrorCode.ERR__BAD_MSG,
])

/**
 * Each call returns what its requests were answered with. It rejects when there was no answer: ERR__TIMED_OUT at the
 * deadline, ERR__DESTROY, or with the signal's reason; limits that are impatient, with why no broker can be asked.
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

  /** Of the transaction that is open, or was last. */
  get version(): TransactionVersion {
    return this.#version
  }

  /** What a code means, under this version. */
  judge(code: number): TransactionVerdict {
    // The coordinator may have aborted it by itself (transaction.timeout.ms), which version 2 can recover from.
    if (code === ErrorCode.ERR_INVALID_TXN_STATE && this.#version === 2) return 'abort'
    return transactionVerdict(code)
  }

  /** After the abort the sequence numbers have to begin anew. */
  needsBump(): void {
    if (this.#repair === 'none') this.#repair = 'bump'
  }

  /** A leader says that the epoch has been left behind: what the coordinator says decides (KIP-588). */
  isOutdated(): void {
    this.#repair = 'bump-only'
  }

  /** Something was written in a transaction of version 2, which makes it known. */
  joined(): void {
    // Committed, it will have been delivered; aborting what the coordinator has not heard of does no harm.
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
    if (this.#isUnheardOf(answer)) return done(culprit)
    if (answer.errorCode === ErrorCode.ERR_NO_ERROR) this.#use(answer)
    return answer
  }

  /**
   * Mends, too, what there is to mend about the producer id. A second call finds nothing left to do.
   *
   * The abort always goes first, even where there may be nothing to abort: it is refused once a newer instance has taken
   * over. A coordinator asked for the next epoch does not look at the one it was given while a transaction is open, and
   * would fence the newer instance for the older one's sake.
   */
  async abort(limits: RequestLimits): Promise<Finding> {
    const culprit = 'the transaction cannot be aborted'
    if (this.#registration !== 'none' || this.#repair !== 'none') {
      let answer = await this.#end(culprit, limits)
      // On the word of one answer the next epoch is not asked for.
      if (this.judge(answer.errorCode) === 'renew') answer = await this.#end(culprit, limits)
      if (this.judge(answer.errorCode) === 'renew') {
        this.#repair = 'bump'
      } else if (!this.#isUnheardOf(answer)) {
        if (answer.errorCode !== ErrorCode.ERR_NO_ERROR) return answer
        this.#use(answer)
        // The next epoch, which begins all numbers anew.
        if (this.#version === 2) this.#repair = 'none'
      }
    }
    this.#registration = 'none'
    if (this.#repair === 'none') return done(culprit)
    const answer = await this.#answer(culprit, limits, this.#requests.bump(this.#id(), limits))
    // Brokers that cannot give the next epoch leave one behind for a newer instance only.
    if (answer.errorCode === ErrorCode.ERR__UNSUPPORTED_FEATURE && this.#repair === 'bump-only')
      return { culprit, errorCode: ErrorCode.ERR_PRODUCER_FENCED }
    if (answer.errorCode !== ErrorCode.ERR_NO_ERROR) return answer
    this.#use(answer)
    this.#repair = 'none'
    return answer
  }

  /** The transaction is over. Looks, meanwhile, whether the next one is of another version. */
  async ended(limits: RequestLimits): Promise<void> {
    this.#registration = 'none'
    this.#repair = 'none'
    this.#groups.clear()
    this.#nextVersion = await this.#requests.version(limits)
  }

  #end(culprit: string, limits: RequestLimits): Promise<Granted & Finding> {
    return this.#answer(culprit, limits, this.#requests.end(this.#id(), this.#version, false, limits))
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
    return errorCode === ErrorCode.ERR_INVALID_TXN_STATE && this.#registration !== 'certain'
  }

  /** The answer; for an error that stands for a refusal (by the finder of coordinators, say), that. */
  async #answer(
    culprit: string,
    { signal }: RequestLimits,
    request: Promise<Partial<Granted> & { readonly errorCode: number }>,
  ): Promise<Granted & Finding> {
    try {
      return { culprit, producerId: -1n, producerEpoch: -1, ...(await request) }
    } catch (error) {
      if (!(error instanceof KafkaError) || signal.aborted || passing.has(error.code)) throw error
      return { culprit: error.message, producerId: -1n, producerEpoch: -1, errorCode: error.code }
    }
  }

  #id(): Identity {
    if (this.#current === null) throw new Error('a transaction without a producer id')
    return this.#current
  }

  #use({ producerId, producerEpoch }: Granted): void {
    // Version 1 ends transactions without a word about ids.
    if (producerId === -1n) return
    this.#grants++
    this.#current = { producerId, producerEpoch, isTransactional: true }
  }
}

function done(culprit: string): Finding {
  return { errorCode: ErrorCode.ERR_NO_ERROR, culprit }
}
