/** Fetched messages and batches, as kafkajs hands them out. */
import type { Header, Message, MessageBatch } from 'ottla'
import type { Batch, KafkaMessage } from '../types/consumer.ts'
import type { IHeaders } from '../types/producer.ts'

/** The version of the format that all messages come in: older ones are converted by the broker or when they are read. */
const MAGIC_BYTE = 2

export function toKafkaMessage({ key, value, timestamp, offset, headers }: Message): KafkaMessage {
  const message = {
    magicByte: MAGIC_BYTE,
    attributes: 0,
    timestamp: String(timestamp),
    offset: String(offset),
    key,
    value,
    headers: headersOf(headers),
  }
  return message
}

function headersOf(headers: readonly Header[]): IHeaders {
  const byName: Record<string, Buffer | null | (Buffer | null)[]> = {}
  for (const { key, value } of headers) {
    const before = Object.hasOwn(byName, key) ? byName[key] : undefined
    if (before === undefined) setOwn(byName, key, value)
    else if (Array.isArray(before)) before.push(value)
    else setOwn(byName, key, [before, value])
  }
  return byName as IHeaders // a header without a value is null, whatever the type says
}

// A name may be that of something which every object has.
function setOwn(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true })
}

/** A batch, as `eachBatch` gets it. */
export class KafkaBatch implements Batch {
  readonly topic: string
  readonly partition: number
  readonly highWatermark: string
  readonly messages: KafkaMessage[]
  readonly #first: number
  readonly #last: number

  constructor(batch: MessageBatch) {
    this.topic = batch.topic
    this.partition = batch.partition
    this.highWatermark = String(batch.highWatermark)
    this.messages = Array.from(batch, toKafkaMessage)
    this.#first = batch.firstOffset
    this.#last = batch.lastOffset
  }

  isEmpty(): boolean {
    return this.messages.length === 0
  }

  firstOffset(): string | null {
    return String(this.#first)
  }

  lastOffset(): string {
    return String(this.#last)
  }

  offsetLag(): string {
    return behind(this.highWatermark, this.#last)
  }

  offsetLagLow(): string {
    return behind(this.highWatermark, this.#first)
  }
}

/** How many messages follow this offset. */
export function behind(highWatermark: number | string, offset: number): string {
  return String(Number(highWatermark) - 1 - offset)
}
