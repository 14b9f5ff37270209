/** Fetched messages and batches, as `KafkaJS` hands them out. */
import type { Header, Message, MessageBatch } from 'ottla'
import type { Batch, KafkaMessage } from '../../types/kafkajs/consumer.ts'
import type { IHeaders } from '../../types/kafkajs/values.ts'

export function toKafkaMessage({ key, value, timestamp, offset, leaderEpoch, headers }: Message): KafkaMessage {
  const message = {
    key,
    value,
    timestamp: timestamp < 0 ? '' : String(timestamp),
    attributes: 0,
    offset: String(offset),
    size: value?.length ?? 0,
    leaderEpoch: leaderEpoch < 0 ? undefined : leaderEpoch,
    headers: headers.length === 0 ? undefined : headersOf(headers),
  }
  return message as unknown as KafkaMessage // Confluent's own messages have size and headers, too
}

/** Of several headers with one name the values are an array. */
function headersOf(headers: readonly Header[]): IHeaders {
  const byName = new Map<string, (Buffer | null)[]>()
  for (const { key, value } of headers) byName.set(key, [...(byName.get(key) ?? []), value])
  const entries = Array.from(byName, ([key, values]) => [key, values.length === 1 ? values[0] : values])
  return Object.fromEntries(entries) as IHeaders // a header without a value is null, whatever the type says
}

export function toBatch(batch: MessageBatch): Batch {
  const { topic, partition, highWatermark, firstOffset, lastOffset } = batch
  const messages = Array.from(batch, toKafkaMessage)
  const behind = (offset: number): string => String(Math.max(0, highWatermark - 1 - offset))
  return {
    topic,
    partition,
    highWatermark: String(highWatermark),
    messages,
    isEmpty: () => messages.length === 0,
    firstOffset: () => String(firstOffset),
    lastOffset: () => String(lastOffset),
    offsetLag: () => behind(lastOffset),
    offsetLagLow: () => behind(firstOffset),
  }
}
