/** Delivery reports, as what kafkajs's `send` resolves with. */
import type { DeliveryReport, KafkaError } from 'ottla'
import type { RecordMetadata } from '../types/producer.ts'

/** kafkajs's word for a value that is not known. */
const UNKNOWN = '-1'

/** One entry for each partition, in the order of the messages. */
export function recordMetadata(
  reports: readonly DeliveryReport[],
  times: readonly (number | undefined)[],
): RecordMetadata[] {
  const first = new Map<string, { readonly report: DeliveryReport; readonly logAppendTime: string }>()
  reports.forEach((report, i) => {
    const place = `${report.topic}\0${report.partition}`
    const before = first.get(place)
    if (before !== undefined && before.report.offset <= report.offset) return
    // The broker has replaced the message's time if it is not the one that was sent.
    const logAppendTime = report.timestamp === times[i] ? UNKNOWN : String(report.timestamp)
    first.set(place, { report, logAppendTime })
  })
  return Array.from(first.values(), ({ report: { topic, partition, offset, logStartOffset }, logAppendTime }) => ({
    topicName: topic,
    partition,
    errorCode: 0,
    baseOffset: String(offset),
    logAppendTime,
    logStartOffset: String(logStartOffset ?? -1),
  }))
}

/** Why not all of them were delivered; an error that no retry gets past comes first. */
export function failureOf(reports: readonly DeliveryReport[]): KafkaError | undefined {
  const failed = reports.flatMap(({ error }) => error ?? [])
  return failed.find(({ isRetriable }) => !isRetriable) ?? failed[0]
}
