/** A message of node-rdkafka's `produce`, checked as it checks it. */
import { PARTITION_UA, type HeaderInput } from 'ottla'

/** A message to be completed. */
export interface Draft {
  readonly topic: string
  readonly partition: number
  readonly value: Buffer | null
  readonly key: Buffer | string | null
  timestamp?: number
  opaque?: unknown
  headers?: HeaderInput[]
}

/** @throws TypeError or Error for what is no message */
export function messageOf(topic: unknown, partition: unknown, value: unknown, key: unknown, timestamp: unknown): Draft {
  if (typeof topic !== 'string' || topic === '') throw new TypeError('"topic" must be a string')
  if (value !== null && !Buffer.isBuffer(value)) throw new Error('Message must be a buffer or null')
  const draft: Draft = { topic, partition: partitionOf(partition), value, key: keyOf(key) }
  if (timestamp === undefined || timestamp === null || timestamp === 0) return draft
  if (typeof timestamp !== 'number') throw new Error('Timestamp must be a number')
  draft.timestamp = Math.trunc(timestamp)
  return draft
}

function partitionOf(partition: unknown): number {
  const number = Number(partition)
  return number >= 0 ? number : PARTITION_UA
}

function keyOf(key: unknown): Buffer | string | null {
  if (key === undefined || key === null) return null
  // As text, like numbers.
  return Buffer.isBuffer(key) || typeof key === 'string' ? key : `${key as number}`
}
