/** The header of a received batch. */

/**
 * The meaning of a record's timestamp; message sets before Kafka 0.10 have none.
 *
 * @since 0.1.0
 */
export type TimestampType = 'create-time' | 'log-append-time' | 'not-available'

/**
 * The header of a received batch.
 *
 * @since 0.1.0
 */
export interface BatchHeader {
  /** Format: 2 since Kafka 0.11, 0 and 1 before. */
  readonly magic: number
  /** First offset of the batch when it was produced. */
  readonly baseOffset: number
  /** Last offset of the batch when it was produced: compaction may remove the record, but keeps this. */
  readonly lastOffset: number
  /** Epoch of the leader that stored the batch; -1 if unknown. */
  readonly partitionLeaderEpoch: number
  /** The checksum as received. */
  readonly crc: number
  /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  readonly codecId: number
  readonly timestampType: TimestampType
  readonly isTransactional: boolean
  /** Whether the records are markers of transactions, not messages. */
  readonly isControl: boolean
  /** Whether {@link baseTimestamp} is the time from which tombstones may be removed (KIP-534). */
  readonly hasDeleteHorizon: boolean
  /** ms since the epoch; the records' timestamps are relative to it. Rounded beyond 2^53, like all times. */
  readonly baseTimestamp: number
  /** ms since the epoch. */
  readonly maxTimestamp: number
  /** Any 64 bits; -1 without idempotence. */
  readonly producerId: bigint
  /** -1 without idempotence. */
  readonly producerEpoch: number
  /** -1 without idempotence. */
  readonly baseSequence: number
  /** Records in the batch. */
  readonly recordCount: number
}
