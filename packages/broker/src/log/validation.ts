/** Validates what a produce request carries for one partition. */
import { BatchReader, ErrorCode, ProtocolError, type RecordBatch } from '@ottla/protocol'

export interface RecordProblem {
  readonly index: number
  readonly message: string
}

/** Why a batch was not appended. */
export interface Refusal {
  readonly errorCode: number
  readonly message: string
  /** The invalid records, if it is about records. */
  readonly records?: readonly RecordProblem[]
}

/** The rules of a topic's configuration for its records. */
export interface RecordRules {
  readonly maxMessageBytes: number
  /** With a `cleanup.policy` of compact every record needs a key. */
  readonly needsKeys: boolean
  /** ms since the epoch; only applies without LogAppendTime. */
  readonly oldestTimestamp: number
  readonly newestTimestamp: number
  /** ms since the epoch for topics with LogAppendTime, else null. */
  readonly logAppendTime: number | null
}

// The first version of Produce that may carry zstd (KIP-110).
const ZSTD_PRODUCE_VERSION = 7
const ZSTD = 4
// A batch that decompresses to more is an attack, or a mistake.
const MAX_DECOMPRESSED_BYTES = 256 * 1024 * 1024

/** The batch for a partition, of which a request has exactly one (KIP-98), or why it is refused. */
export function readBatch(records: Uint8Array | null, version: number): RecordBatch | Refusal {
  try {
    const reader = new BatchReader(records ?? new Uint8Array(0))
    const batch = reader.next()
    if (batch === null) return invalid('the partition has no record batch')
    if (batch.magic !== 2) return invalid('only batches of magic 2 are supported')
    if (batch.codecId === ZSTD && version < ZSTD_PRODUCE_VERSION) {
      const errorCode = ErrorCode.ERR_UNSUPPORTED_COMPRESSION_TYPE
      return { errorCode, message: `version ${version} of Produce cannot carry zstd` }
    }
    if (reader.next() !== null) return invalid('the partition has more than one record batch')
    return batch
  } catch (error) {
    if (error instanceof ProtocolError) return corrupt(error.message)
    throw error
  }
}

/** Why a batch cannot be appended to a topic with these rules, or null. */
export function checkBatch(batch: RecordBatch, rules: RecordRules): Refusal | null {
  if (batch.baseOffset !== 0) return invalid('the base offset of a produced batch must be 0')
  if (batch.sizeBytes > rules.maxMessageBytes) {
    const limit = `max.message.bytes of the topic, ${rules.maxMessageBytes}`
    return {
      errorCode: ErrorCode.ERR_MSG_SIZE_TOO_LARGE,
      message: `the batch has ${batch.sizeBytes} bytes, more than ${limit}`,
    }
  }
  if (!batch.isCrcValid()) return corrupt('the checksum of the batch is wrong')
  if (batch.recordCount < 1 || batch.lastOffset - batch.baseOffset !== batch.recordCount - 1) {
    return invalid('the number of records does not match their offsets')
  }
  if (batch.isControl) return invalid('clients cannot write control records')
  if (batch.producerId >= 0n && batch.baseSequence < 0)
    return invalid('a batch with a producer id needs a sequence number')
  try {
    return checkRecords(batch, rules)
  } catch (error) {
    if (error instanceof ProtocolError) return corrupt(error.message)
    throw error
  }
}

/** Tells a refusal from a batch or result. */
export function isRefusal(outcome: object): outcome is Refusal {
  return 'errorCode' in outcome
}

function checkRecords(batch: RecordBatch, rules: RecordRules): Refusal | null {
  const problems: RecordProblem[] = []
  let hasInvalidTimestamp = false
  let index = 0
  const isLogAppendTime = batch.timestampType === 'log-append-time'
  const cursor = batch.records(MAX_DECOMPRESSED_BYTES)
  while (cursor.next()) {
    if (cursor.offset !== index) return invalid(`record ${index} of the batch has offset ${cursor.offset}`)
    if (rules.needsKeys && cursor.keyLength < 0) {
      problems.push({ index, message: 'Compacted topic cannot accept message without key.' })
    } else if (isLogAppendTime) {
      hasInvalidTimestamp = true
      problems.push({ index, message: 'Producers cannot set the timestamp type LogAppendTime.' })
    } else if (rules.logAppendTime === null && cursor.timestamp !== -1) {
      if (cursor.timestamp < rules.oldestTimestamp || cursor.timestamp > rules.newestTimestamp) {
        hasInvalidTimestamp = true
        const range = `${rules.oldestTimestamp} to ${rules.newestTimestamp}`
        problems.push({ index, message: `Timestamp ${cursor.timestamp} is out of range: ${range}.` })
      }
    }
    index++
  }
  if (problems.length > 0) {
    return hasInvalidTimestamp
      ? {
          errorCode: ErrorCode.ERR_INVALID_TIMESTAMP,
          message: 'One or more records have been rejected due to invalid timestamp',
          records: problems,
        }
      : {
          errorCode: ErrorCode.ERR_INVALID_RECORD,
          message: `One or more records have been rejected due to ${problems.length} record errors in total`,
          records: problems,
        }
  }
  return null
}

function invalid(message: string): Refusal {
  return { errorCode: ErrorCode.ERR_INVALID_RECORD, message }
}

function corrupt(message: string): Refusal {
  return { errorCode: ErrorCode.ERR_INVALID_MSG, message }
}
