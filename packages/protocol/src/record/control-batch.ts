/** The markers that end a transaction in a partition (KIP-98). */

import { crc32c } from '../wire/crc32c.ts'
import { attribute, BATCH_HEADER_BYTES, field, LENGTH_PREFIX_BYTES, writeInt64, writeTime } from './batch-header.ts'

/**
 * The content of a control batch.
 *
 * @since 0.1.0
 */
export interface ControlBatch {
  readonly type: 'abort' | 'commit'
  readonly producerId: bigint
  readonly producerEpoch: number
  /** Epoch of the transaction coordinator. */
  readonly coordinatorEpoch: number
  /** ms since the epoch. */
  readonly timestamp: number
  readonly baseOffset?: number | undefined
  readonly partitionLeaderEpoch?: number | undefined
}

/** Length, attributes, two deltas; key: version, type; value: version, coordinator epoch; no headers. */
const MARKER_BYTES = 1 + 1 + 1 + 1 + (1 + 4) + (1 + 6) + 1

/**
 * Encodes the batch that a broker writes at the end of a transaction: one marker, transactional and control.
 *
 * @since 0.1.0
 */
export function encodeControlBatch(marker: ControlBatch): Buffer {
  const size = BATCH_HEADER_BYTES + MARKER_BYTES
  const batch = Buffer.alloc(size)
  writeInt64(batch, field.baseOffset, marker.baseOffset ?? 0)
  batch.writeInt32BE(size - LENGTH_PREFIX_BYTES, field.length)
  batch.writeInt32BE(marker.partitionLeaderEpoch ?? -1, field.partitionLeaderEpoch)
  batch[field.magic] = 2
  batch.writeInt16BE(attribute.transactional | attribute.control, field.attributes)
  writeTime(batch, field.baseTimestamp, marker.timestamp)
  writeTime(batch, field.maxTimestamp, marker.timestamp)
  batch.writeBigInt64BE(marker.producerId, field.producerId)
  batch.writeInt16BE(marker.producerEpoch, field.producerEpoch)
  batch.writeInt32BE(-1, field.baseSequence)
  batch.writeInt32BE(1, field.recordCount)
  let position = BATCH_HEADER_BYTES
  batch[position] = (MARKER_BYTES - 1) << 1 // lengths are zigzag varints
  position += 4 // attributes and deltas are 0
  batch[position++] = 4 << 1
  position = batch.writeInt16BE(0, position)
  position = batch.writeInt16BE(marker.type === 'commit' ? 1 : 0, position)
  batch[position++] = 6 << 1
  position = batch.writeInt16BE(0, position)
  batch.writeInt32BE(marker.coordinatorEpoch, position)
  batch.writeUInt32BE(crc32c(batch, field.attributes, size), field.crc)
  return batch
}
