/** Messages and headers in both shapes. */
import type { DeliveryReport as OttlaReport, HeaderInput, Message as OttlaMessage } from 'ottla'
import type { DeliveryReport, Message, MessageHeader } from '../types/messages.ts'

const NOTHING = Buffer.alloc(0)

/** A message as a consumer of node-rdkafka gets it. */
export function toMessage(message: OttlaMessage): Message {
  const { value, headers, timestamp } = message
  const given: Message = {
    value,
    size: value?.length ?? 0,
    key: message.key,
    topic: message.topic,
    offset: message.offset,
    partition: message.partition,
    timestamp,
  }
  if (headers.length > 0) given.headers = headers.map(({ key, value: bytes }) => ({ [key]: bytes ?? NOTHING }))
  return given
}

/** A report as a producer of node-rdkafka emits it. @param withValue `dr_msg_cb` */
export function toReport(report: OttlaReport, withValue: boolean): DeliveryReport {
  const { topic, partition, offset, value, opaque, timestamp } = report
  const size = value === null ? 0 : Buffer.byteLength(value)
  const given: DeliveryReport = { topic, partition, offset, key: toBuffer(report.key), size }
  if (opaque !== undefined) given.opaque = opaque
  if (timestamp >= 0) given.timestamp = timestamp
  if (withValue) given.value = toBuffer(value)
  return given
}

function toBuffer(bytes: Uint8Array | string | null): Buffer | null {
  if (bytes === null || Buffer.isBuffer(bytes)) return bytes
  return typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Headers as `ottla` takes them: Buffers as they are, everything else as text. */
export function toHeaders(headers: readonly MessageHeader[]): HeaderInput[] {
  const given: HeaderInput[] = []
  for (const header of headers) {
    // Whatever the types say, programs pass numbers and null.
    for (const [key, value] of Object.entries(header as Readonly<Record<string, unknown>>)) {
      given.push({ key, value: value === null || value === undefined ? null : headerValue(value) })
    }
  }
  return given
}

function headerValue(value: unknown): Uint8Array | string {
  return value instanceof Uint8Array ? value : String(value)
}
