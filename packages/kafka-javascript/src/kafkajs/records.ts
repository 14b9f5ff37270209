/** Messages to send, and where they went. Pure. */
import type { DeliveryReport, HeaderInput, ProducerMessage } from 'ottla'
import type { Message, RecordMetadata } from '../types/kafkajs/producer.ts'
import type { IHeaders } from '../types/kafkajs/values.ts'

export function toProducerMessage(topic: string, message: Message): ProducerMessage {
  // Whatever the types say, programs leave things out and pass null.
  const { key = null, value = null, partition, headers, timestamp } = message as Partial<Message>
  return {
    topic,
    key,
    value,
    ...(typeof partition === 'number' && partition >= 0 ? { partition } : {}),
    ...(timestamp ? { timestamp: Number(timestamp) } : {}),
    ...(headers ? { headers: toHeaders(headers) } : {}),
  }
}

function toHeaders(headers: IHeaders): HeaderInput[] {
  return Object.entries(headers).flatMap(([key, value]) =>
    (Array.isArray(value) ? value : [value]).map(each => ({ key, value: each ?? null })),
  )
}

/** For each partition the first of its messages. */
export function recordMetadata(reports: readonly DeliveryReport[]): RecordMetadata[] {
  const first = new Map<string, DeliveryReport>()
  for (const report of reports) {
    const key = `${report.partition} ${report.topic}`
    const before = first.get(key)
    if (before === undefined || report.offset < before.offset) first.set(key, report)
  }
  return Array.from(first.values(), ({ topic, partition, offset }) => ({
    topicName: topic,
    partition,
    errorCode: 0,
    // With `acks: 0` there is none.
    ...(offset < 0 ? {} : { baseOffset: String(offset) }),
    logAppendTime: '-1',
    logStartOffset: '0',
  }))
}
