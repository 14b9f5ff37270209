/** Delivery reports, as what kafkajs's `send` resolves with. */
import type { DeliveryReport, KafkaError, ProducerMessage } from 'ottla'
import type { RecordMetadata } from '../types/producer.ts'

/** kafkajs's word for a value that is not known. */
const UNKNOWN = '-1'

/** The report of a partition's first message, and which message that is. */
interface First {
  readonly report: DeliveryReport
  readonly message: number
}

/** One entry for each partition, in the order of the messages. @param messages what was sent, each with its report */
export function recordMetadata(
  reports: readonly DeliveryReport[],
  messages: readonly ProducerMessage[],
): RecordMetadata[] {
  const topics = new Map<string, (First | undefined)[]>()
  const order: { readonly firsts: readonly (First | undefined)[]; readonly partition: number }[] = []
  for (let i = 0; i < reports.length; i++) {
    const report = reports[i]
    if (report === undefined) continue
    const { topic, partition, offset } = report
    let firsts = topics.get(topic)
    if (firsts === undefined) topics.set(topic, (firsts = []))
    const before = firsts[partition]
    if (before !== undefined && before.report.offset <= offset) continue
    if (before === undefined) order.push({ firsts, partition })
    firsts[partition] = { report, message: i }
  }
  return order.flatMap(({ firsts, partition }) => {
    const first = firsts[partition]
    return first === undefined ? [] : metadataOf(first.report, messages[first.message]?.timestamp)
  })
}

function metadataOf(
  { topic, partition, offset, timestamp, logStartOffset }: DeliveryReport,
  sent: number | undefined,
): RecordMetadata {
  return {
    topicName: topic,
    partition,
    errorCode: 0,
    baseOffset: String(offset),
    // The broker has replaced the message's time if it is not the one that was sent.
    logAppendTime: timestamp === sent ? UNKNOWN : String(timestamp),
    logStartOffset: String(logStartOffset ?? -1),
  }
}

/** Why not all of them were delivered; an error that no retry gets past comes first. */
export function failureOf(reports: readonly DeliveryReport[]): KafkaError | undefined {
  let first: KafkaError | undefined
  for (const { error } of reports) {
    if (error === undefined) continue
    if (!error.isRetriable) return error
    first ??= error
  }
  return first
}
