/** Whether a broker takes what a produce request carries for one partition. */
import { BatchReader, ErrorCode, ProtocolError, type RecordBatch } from '@ottla/protocol'

export interface RecordProblem {
  readonly index: number
  readonly message: string
}

/** Why something was not appended. */
export interface Refusal {
  readonly errorCode: number
  readonly message: string
  /** The records that are to blame, where it is about records. */
  readonly records?: readonly RecordProblem[]
}

/** What a topic's configuration says about its records. */
export interface RecordRules {
  readonly maxMessageBytes: number
  /** `cleanup.policy` has compact: every record needs a key. */
  readonly needsKeys: boolean
  /** ms since the epoch; not looked at where the broker gives the time. */
  readonly oldestTimestamp: number
  readonly newestTimestamp: number
  /** ms since the epoch for topics with LogAppendTime, else null. */
  readonly logAppendTime: number | null
}

// The first version of Produce that may carry zstd (KIP-110).
const ZSTD_PRODUCE_VERSION = 7
const ZSTD = 4
// A batch that grows to more is an attack, or a mistake.
const MAX_DECOMPRESSED_BYTES = 256 * 1024 * 1024

/** The one batch that a partition may be given in a request (KIP-98), or why it is none. */
export function readBatch(records: Uint8Array | null, version: number): RecordBatch | Refusal {
  try {
    const reader = new BatchReader(records ?? new Uint8Array(0))
    const batch = reader.next()
    if (batch === null) return invalid('there has to be a record batch for each partition')
    if (batch.magic !== 2) return invalid('only batches of magic 2 are taken')
    if (batch.codecId === ZSTD && version < ZSTD_PRODUCE_VERSION) {
      const errorCode = ErrorCode.ERR_UNSUPPORTED_COMPRESSION_TYPE
      return { errorCode, message: `version ${version} of Produce cannot carry zstd` }
    }
    if (reader.next() !== null) return invalid('there may be one record batch for each partition, not more')
    return batch
  } catch (error) {
    if (error instanceof ProtocolError) return corrupt(error.message)
    throw error
  }
}

/** Why a batch cannot be appended to a topic with these rules, or null. */
export function checkBatch(batch: RecordBatch, rules: RecordRules): Refusal | null {
  if (batch.baseOffset !== 0) return invalid('a batch that is produced begins at offset 0')
  if (batch.sizeBytes > rules.maxMessageBytes) {
    const limit = `max.message.bytes of the topic is ${rules.maxMessageBytes}`
    return {
      errorCode: ErrorCode.ERR_MSG_SIZE_TOO_LARGE,
      message: `a batch of ${batch.sizeBytes} bytes, where ${limit}`,
    }
  }
  if (!batch.isCrcValid()) return corrupt('the checksum of the batch is wrong')
  if (batch.recordCount < 1 || batch.lastOffset - batch.baseOffset !== batch.recordCount - 1) {
    return invalid('the number of records does not agree with their offsets')
  }
  if (batch.isControl) return invalid('clients do not write control records')
  if (batch.producerId >= 0n && batch.baseSequence < 0) return invalid('a batch with a producer id needs a sequence')
  try {
    return checkRecords(batch, rules)
  } catch (error) {
    if (error instanceof ProtocolError) return corrupt(error.message)
    throw error
  }
}

/** Which of two it is. */
export function isRefusal(outcome: object): outcome is Refusal {
  return 'errorCode' in outcome
}

function checkRecords(batch: RecordBatch, rules: RecordRules): Refusal | null {
  const problems: RecordProblem[] = []
  let badTime = false
  let index = 0
  const stamped = batch.timestampType === 'log-append-time'
  const cursor = batch.records(MAX_DECOMPRESSED_BYTES)
  while (cursor.next()) {
    if (cursor.offset !== index) return invalid(`the record at place ${index} has the offset ${cursor.offset}`)
    if (rules.needsKeys && cursor.keyLength < 0) {
      problems.push({ index, message: 'Compacted topic cannot accept message without key.' })
    } else if (stamped) {
      badTime = true
      problems.push({ index, message: 'Producers do not set the timestamp type LogAppendTime.' })
    } else if (rules.logAppendTime === null && cursor.timestamp !== -1) {
      if (cursor.timestamp < rules.oldestTimestamp || cursor.timestamp > rules.newestTimestamp) {
        badTime = true
        const range = `${rules.oldestTimestamp} to ${rules.newestTimestamp}`
        problems.push({ index, message: `Timestamp ${cursor.timestamp} is out of range: ${range}.` })
      }
    }
    index++
  }
  if (problems.length > 0) {
    return badTime
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
