import { BatchReader, BatchWriter, type RecordBatch } from '@ottla/protocol'

/** The bytes of a batch with records `key: value-0`, `value-1` and so on, one ms apart. */
export function batchBytes(count: number, seal: Parameters<BatchWriter['seal']>[0] = {}, timestamp = 1000): Buffer {
  const writer = new BatchWriter()
  for (let i = 0; i < count; i++) writer.append('key', `value-${i}`, null, timestamp + i)
  return Buffer.from(writer.seal(seal))
}

export function readBack(bytes: Uint8Array): RecordBatch {
  const batch = new BatchReader(bytes).next()
  if (batch === null) throw new Error('there is no batch')
  return batch
}

export function batchOf(...args: Parameters<typeof batchBytes>): RecordBatch {
  return readBack(batchBytes(...args))
}
