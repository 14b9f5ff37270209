/** Record batches in words, without a byte of what they hold. */
import { BatchReader } from '../record/batch-reader.ts'
import type { RecordBatch } from '../record/record-batch.ts'
import { ProtocolError } from '../wire/protocol-error.ts'

const codecNames = ['', 'gzip', 'snappy', 'lz4', 'zstd']

/** What is produced: `3 records seq 5..7 gzip`. */
export function producedWords(records: Buffer | null): string {
  return wordsOf(records, batch => {
    if (batch.baseSequence < 0) return ''
    return ` seq ${range(batch.baseSequence, batch.baseSequence + batch.recordCount - 1)}`
  })
}

/** What was fetched: `3 records 40..42 gzip`. */
export function fetchedWords(records: Buffer | null): string {
  return wordsOf(records, batch => ` ${range(batch.baseOffset, batch.lastOffset)}`)
}

function wordsOf(records: Buffer | null, where: (batch: RecordBatch) => string): string {
  if (records === null || records.length === 0) return ''
  const words: string[] = []
  const reader = new BatchReader(records)
  try {
    for (let batch = reader.next(); batch !== null; batch = reader.next()) {
      words.push(`${contentWords(batch)}${where(batch)}${codecWords(batch)}`)
    }
    if (reader.partialBytes > 0) words.push('a truncated batch')
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    words.push('a corrupt batch')
  }
  return words.length > 4 ? `${words.slice(0, 3).join(' + ')} + ${words.length - 3} batches` : words.join(' + ')
}

function contentWords(batch: RecordBatch): string {
  if (batch.isControl) return `${markerOf(batch)} marker`
  const records = `${batch.recordCount} ${batch.recordCount === 1 ? 'record' : 'records'}`
  return batch.isTransactional ? `${records} in a transaction` : records
}

function markerOf(batch: RecordBatch): string {
  try {
    return batch.controlType()
  } catch {
    return 'unreadable'
  }
}

function codecWords(batch: RecordBatch): string {
  const codec = codecNames[batch.codecId] ?? `codec ${batch.codecId}`
  return codec === '' ? '' : ` ${codec}`
}

/** `7`, or `5..7`. */
export function range(first: number, last: number): string {
  return first === last ? String(first) : `${first}..${last}`
}
