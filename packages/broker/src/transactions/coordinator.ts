/** The transaction coordinator (KIP-98, KIP-360, KIP-890). All brokers share it; handlers check which may serve. */
import { ErrorCode } from '@ottla/protocol'
import type { Clock } from '../base/clock.ts'
import type { TopicPartition } from '../topics/topics.ts'
import { MAX_EPOCH, Transaction, partitionKey, type TransactionFields } from './transaction.ts'

/** The end of a transaction, as it is written to one partition. */
export interface EndMarker {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly commit: boolean
}

/** Makes changes of transactions durable, before they are acknowledged. */
export interface TransactionPersistence {
  /** Its fields have changed; it is deleted in state Dead. */
  transactionChanged(transaction: Transaction): void
}

export interface CoordinatorOptions {
  readonly clock: Clock
  /** `transaction.max.timeout.ms` */
  readonly maxTimeoutMs: number
  /** Whether the cluster has transaction version 2, in which every end of a transaction raises the epoch. */
  readonly bumpsEpoch: boolean
  nextProducerId(): bigint
  /**
   * Writes a marker.
   * @param again called when it is worth another attempt
   * @returns false if the partition has no leader at the moment, or its replicas do not have the marker yet
   */
  writeMarker(partition: TopicPartition, marker: EndMarker, again: () => void): boolean
  /** See {@link TransactionPersistence}. */
  changed(transaction: Transaction): void
}

export interface ProducerIdentity {
  readonly producerId: bigint
  readonly producerEpoch: number
}

export type Outcome = ProducerIdentity & { readonly errorCode: number }

/** How a partition becomes part of a transaction when something is written to it. */
export type Admission =
  /** It is added (KIP-890, transaction version 2). */
  | 'add'
  /** It has to be part of it already; the client knows TRANSACTION_ABORTABLE. */
  | 'verify'
  /** It has to be part of it already; the client is older. */
  | 'verify-old'

// Backoff after a marker that could not be written.
const MARKER_RETRY_MS = 100
// Kafka's default for transactional.id.expiration.ms.
const EXPIRATION_MS = 604_800_000

export class TransactionCoordinator {
  readonly #options: CoordinatorOptions
  readonly #transactions = new Map<string, Transaction>()

  constructor(options: CoordinatorOptions) {
    this.#options = options
  }

  /** Longest timeout that a producer may ask for, ms. */
  get maxTimeoutMs(): number {
    return this.#options.maxTimeoutMs
  }

  all(): IterableIterator<Transaction> {
    return this.#transactions.values()
  }

  get(id: string): Transaction | undefined {
    return this.#transactions.get(id)
  }

  /** @param expected the identity that a producer recovers from (KIP-360); null for a new producer */
  initProducerId(id: string, timeoutMs: number, expected: ProducerIdentity | null): Outcome {
    if (id === '') return refuse(ErrorCode.ERR_INVALID_REQUEST)
    if (timeoutMs <= 0 || timeoutMs > this.#options.maxTimeoutMs) {
      return refuse(ErrorCode.ERR_INVALID_TRANSACTION_TIMEOUT)
    }
    let transaction = this.#transactions.get(id)
    if (transaction === undefined) this.#transactions.set(id, (transaction = this.#create(id, timeoutMs)))
    const { fields } = transaction
    if (expected !== null && !isKnownIdentity(expected, fields)) return refuse(ErrorCode.ERR_PRODUCER_FENCED)
    switch (fields.state) {
      case 'PrepareCommit':
      case 'PrepareAbort':
        return refuse(ErrorCode.ERR_CONCURRENT_TRANSACTIONS)
      case 'Ongoing':
        // The client retries and gets the epoch after the one that fences.
        this.#fence(transaction)
        return refuse(ErrorCode.ERR_CONCURRENT_TRANSACTIONS)
      case 'Empty':
      case 'CompleteCommit':
      case 'CompleteAbort':
        return this.#initialize(transaction, timeoutMs, expected)
      case 'Dead':
        return refuse(ErrorCode.ERR_CONCURRENT_TRANSACTIONS)
      default:
        return fields.state satisfies never
    }
  }

  /** @returns 0 or an error code */
  addPartitions(
    id: string,
    producer: ProducerIdentity,
    partitions: readonly TopicPartition[],
    bumpsEpoch: boolean,
  ): number {
    const transaction = this.#transactions.get(id)
    if (id === '') return ErrorCode.ERR_INVALID_REQUEST
    if (transaction === undefined) return ErrorCode.ERR_INVALID_PRODUCER_ID_MAPPING
    const { fields } = transaction
    const problem = checkProducer(producer, fields)
    if (problem !== ErrorCode.ERR_NO_ERROR) return problem
    if (transaction.isPreparing) return ErrorCode.ERR_CONCURRENT_TRANSACTIONS
    const missing = partitions.filter(partition => !fields.partitions.has(partitionKey(partition)))
    if (fields.state === 'Ongoing' && missing.length === 0) return ErrorCode.ERR_NO_ERROR
    const now = this.#options.clock.now()
    const begins = fields.state !== 'Ongoing'
    for (const partition of missing) fields.partitions.set(partitionKey(partition), partition)
    if (begins) fields.startTime = now
    fields.bumpsEpoch = bumpsEpoch
    transaction.enter('Ongoing', now)
    this.#startTimeout(transaction)
    this.#options.changed(transaction)
    return ErrorCode.ERR_NO_ERROR
  }

  /** Whether a partition is part of the producer's transaction. @returns 0 or an error code */
  verifyPartition(id: string, producer: ProducerIdentity, partition: TopicPartition): number {
    if (id === '') return ErrorCode.ERR_INVALID_REQUEST
    const transaction = this.#transactions.get(id)
    if (transaction === undefined) return ErrorCode.ERR_INVALID_PRODUCER_ID_MAPPING
    const problem = checkProducer(producer, transaction.fields)
    if (problem !== ErrorCode.ERR_NO_ERROR) return problem
    if (transaction.isPreparing) return ErrorCode.ERR_CONCURRENT_TRANSACTIONS
    return transaction.fields.partitions.has(partitionKey(partition))
      ? ErrorCode.ERR_NO_ERROR
      : ErrorCode.ERR_TRANSACTION_ABORTABLE
  }

  /** Checked before transactional records are written to a partition. @returns 0 or the error code for the client */
  admit(id: string, producer: ProducerIdentity, partition: TopicPartition, admission: Admission): number {
    const code =
      admission === 'add'
        ? this.addPartitions(id, producer, [partition], true)
        : this.verifyPartition(id, producer, partition)
    switch (code) {
      case ErrorCode.ERR_PRODUCER_FENCED:
        return ErrorCode.ERR_INVALID_PRODUCER_EPOCH
      case ErrorCode.ERR_TRANSACTION_ABORTABLE:
        return admission === 'verify-old' ? ErrorCode.ERR_INVALID_TXN_STATE : code
      case ErrorCode.ERR_CONCURRENT_TRANSACTIONS:
        // Older clients would not retry on CONCURRENT_TRANSACTIONS, but all do on this one.
        return ErrorCode.ERR_NOT_ENOUGH_REPLICAS
      default:
        return code
    }
  }

  /** @param bumpsEpoch whether the request was EndTxn 5 or later */
  end(id: string, producer: ProducerIdentity, commit: boolean, bumpsEpoch: boolean): Outcome {
    if (id === '') return refuse(ErrorCode.ERR_INVALID_REQUEST)
    const transaction = this.#transactions.get(id)
    if (transaction === undefined) return refuse(ErrorCode.ERR_INVALID_PRODUCER_ID_MAPPING)
    const { fields } = transaction
    const isRetry = bumpsEpoch && isRetriedEnd(producer, fields)
    if (!isRetry || fields.producerId === producer.producerId) {
      const problem = checkProducer(isRetry ? { ...producer, producerEpoch: fields.epoch } : producer, fields)
      if (problem !== ErrorCode.ERR_NO_ERROR) return refuse(problem)
    }
    const invalid = refuse(ErrorCode.ERR_INVALID_TXN_STATE)
    const known = { errorCode: ErrorCode.ERR_NO_ERROR, producerId: fields.producerId, producerEpoch: fields.epoch }
    switch (fields.state) {
      case 'Ongoing':
        if (isRetry) return refuse(ErrorCode.ERR_PRODUCER_FENCED)
        return this.#finish(transaction, commit, bumpsEpoch)
      case 'Empty':
        if (isRetry) return refuse(ErrorCode.ERR_PRODUCER_FENCED)
        return bumpsEpoch && !commit ? this.#finish(transaction, false, true) : invalid
      case 'CompleteCommit':
      case 'CompleteAbort': {
        const wasCommit = fields.state === 'CompleteCommit'
        if (!bumpsEpoch || isRetry) return commit === wasCommit ? known : invalid
        return commit ? invalid : this.#finish(transaction, false, true)
      }
      case 'PrepareCommit':
      case 'PrepareAbort':
        if (bumpsEpoch && fields.bumpsEpoch && !isRetry) return refuse(ErrorCode.ERR_PRODUCER_FENCED)
        return commit === (fields.state === 'PrepareCommit') ? refuse(ErrorCode.ERR_CONCURRENT_TRANSACTIONS) : invalid
      case 'Dead':
        return refuse(ErrorCode.ERR_INVALID_PRODUCER_ID_MAPPING)
      default:
        return fields.state satisfies never
    }
  }

  /** Restores a transaction after a restart. */
  restore(id: string, fields: TransactionFields): void {
    const transaction = new Transaction(id, fields)
    this.#transactions.set(id, transaction)
    if (fields.state === 'Ongoing') this.#startTimeout(transaction)
    else if (transaction.isPreparing) this.#writeMarkers(transaction)
  }

  /** Forgets transactional ids idle for a week. */
  expire(): void {
    const now = this.#options.clock.now()
    for (const transaction of this.#transactions.values()) {
      const { state, updateTime } = transaction.fields
      if (state === 'Ongoing' || transaction.isPreparing || now - updateTime < EXPIRATION_MS) continue
      transaction.enter('Dead', now)
      this.#transactions.delete(transaction.id)
      this.#options.changed(transaction)
    }
  }

  close(): void {
    for (const transaction of this.#transactions.values()) transaction.timer?.cancel()
  }

  #create(id: string, timeoutMs: number): Transaction {
    return new Transaction(id, {
      producerId: this.#options.nextProducerId(),
      previousProducerId: -1n,
      nextProducerId: -1n,
      epoch: -1,
      lastEpoch: -1,
      timeoutMs,
      state: 'Empty',
      startTime: -1,
      updateTime: this.#options.clock.now(),
      bumpsEpoch: false,
      partitions: new Map(),
    })
  }

  #initialize(transaction: Transaction, timeoutMs: number, expected: ProducerIdentity | null): Outcome {
    const { fields } = transaction
    const { epoch } = fields
    if (transaction.isEpochExhausted && (expected === null || expected.producerEpoch === epoch)) {
      fields.previousProducerId = fields.producerId
      fields.producerId = this.#options.nextProducerId()
      fields.lastEpoch = expected === null ? -1 : epoch
      fields.epoch = 0
    } else if (expected === null || epoch === -1 || expected.producerEpoch === epoch) {
      fields.lastEpoch = expected === null ? -1 : epoch
      fields.previousProducerId = fields.producerId
      fields.epoch = epoch + 1
    } else if (expected.producerEpoch !== fields.lastEpoch) {
      return refuse(ErrorCode.ERR_PRODUCER_FENCED)
    }
    fields.timeoutMs = timeoutMs
    fields.startTime = -1
    transaction.enter('Empty', this.#options.clock.now())
    this.#options.changed(transaction)
    return { errorCode: ErrorCode.ERR_NO_ERROR, producerId: fields.producerId, producerEpoch: fields.epoch }
  }

  // Aborts with a higher epoch, which fences the producer with the old one.
  #fence(transaction: Transaction): void {
    if (!this.#options.bumpsEpoch) transaction.fields.epoch++
    this.#finish(transaction, false, this.#options.bumpsEpoch)
  }

  #finish(transaction: Transaction, commit: boolean, bumpsEpoch: boolean): Outcome {
    const { fields } = transaction
    if (bumpsEpoch) {
      fields.nextProducerId = transaction.isEpochExhausted ? this.#options.nextProducerId() : -1n
      fields.lastEpoch = fields.epoch
      fields.epoch++
    }
    fields.bumpsEpoch = bumpsEpoch
    const { producerId, nextProducerId, epoch } = fields
    transaction.enter(commit ? 'PrepareCommit' : 'PrepareAbort', this.#options.clock.now())
    this.#options.changed(transaction)
    this.#writeMarkers(transaction)
    return bumpsEpoch && nextProducerId !== -1n
      ? { errorCode: ErrorCode.ERR_NO_ERROR, producerId: nextProducerId, producerEpoch: 0 }
      : { errorCode: ErrorCode.ERR_NO_ERROR, producerId, producerEpoch: epoch }
  }

  // Retries for partitions without a leader.
  #writeMarkers(transaction: Transaction): void {
    const { fields } = transaction
    transaction.timer?.cancel()
    transaction.timer = null
    const again = (): void => {
      if (transaction.isPreparing) this.#writeMarkers(transaction)
    }
    const marker = {
      transactionalId: transaction.id,
      producerId: fields.producerId,
      producerEpoch: fields.epoch,
      commit: fields.state === 'PrepareCommit',
    }
    for (const [key, partition] of fields.partitions) {
      if (this.#options.writeMarker(partition, marker, again)) fields.partitions.delete(key)
    }
    if (fields.partitions.size > 0) {
      transaction.timer = this.#options.clock.setTimer(MARKER_RETRY_MS, () => this.#writeMarkers(transaction))
      return
    }
    if (fields.bumpsEpoch) {
      fields.previousProducerId = fields.producerId
      if (fields.nextProducerId !== -1n) {
        fields.lastEpoch = fields.epoch
        fields.producerId = fields.nextProducerId
        fields.nextProducerId = -1n
        fields.epoch = 0
      }
    }
    transaction.enter(marker.commit ? 'CompleteCommit' : 'CompleteAbort', this.#options.clock.now())
    this.#options.changed(transaction)
  }

  #startTimeout(transaction: Transaction): void {
    const { startTime, timeoutMs } = transaction.fields
    const left = startTime + timeoutMs - this.#options.clock.now()
    transaction.timer = this.#options.clock.setTimer(Math.max(0, left), () => this.#fence(transaction))
  }
}

function refuse(errorCode: number): Outcome {
  return { errorCode, producerId: -1n, producerEpoch: -1 }
}

function checkProducer(producer: ProducerIdentity, fields: TransactionFields): number {
  if (producer.producerId !== fields.producerId) return ErrorCode.ERR_INVALID_PRODUCER_ID_MAPPING
  return producer.producerEpoch === fields.epoch ? ErrorCode.ERR_NO_ERROR : ErrorCode.ERR_PRODUCER_FENCED
}

// The current producer id, or the previous one if its epochs were exhausted and the response was lost.
function isKnownIdentity(expected: ProducerIdentity, fields: TransactionFields): boolean {
  if (fields.epoch === -1 || expected.producerId === fields.producerId) return true
  return expected.producerId === fields.previousProducerId && expected.producerEpoch >= MAX_EPOCH
}

// A retried EndTxn whose response with the new epoch was lost.
function isRetriedEnd(producer: ProducerIdentity, fields: TransactionFields): boolean {
  if (!fields.bumpsEpoch) return false
  if (producer.producerId === fields.producerId && producer.producerEpoch + 1 === fields.epoch) return true
  const ended = fields.state === 'CompleteCommit' || fields.state === 'CompleteAbort'
  const rotated = fields.previousProducerId === producer.producerId && fields.epoch === 0
  return ended && rotated && producer.producerEpoch === MAX_EPOCH
}
