/** kafkajs's messages, as those of `ottla`. */
import type { Bytes, HeaderValueInput, ProducerMessage } from 'ottla'
import { KafkaJSNonRetriableError } from '../errors.ts'
import type { IHeaders, Message, TopicMessages } from '../types/producer.ts'

/** What a program sends to one topic. */
export interface CheckedMessages {
  readonly topic: string
  readonly messages: readonly Message[]
}

/**
 * Checks what a program wants to send, and joins what is for one topic.
 * @throws KafkaJSNonRetriableError
 */
export function checkedMessages(topicMessages: readonly TopicMessages[]): CheckedMessages[] {
  const joined = new Map<string, readonly Message[]>()
  for (const { topic, messages } of topicMessages as readonly Partial<TopicMessages>[]) {
    if (!topic) throw new KafkaJSNonRetriableError('Invalid topic')
    if (!messages)
      throw new KafkaJSNonRetriableError(`Invalid messages array [${String(messages)}] for topic "${topic}"`)
    const without = messages.find(({ value }) => (value as unknown) === undefined)
    if (without !== undefined) {
      const text = JSON.stringify(without)
      throw new KafkaJSNonRetriableError(`Invalid message without value for topic "${topic}": ${text}`)
    }
    const before = joined.get(topic)
    joined.set(topic, before === undefined ? messages : [...before, ...messages])
  }
  return Array.from(joined, ([topic, messages]) => ({ topic, messages }))
}

/** @param now ms since the epoch, for a message without a time; the partition is chosen later */
export function toProducerMessage(topic: string, message: Message, now: number): ProducerMessage {
  const { key, value, headers, timestamp } = message
  const plain: ProducerMessage = {
    topic,
    key: bytesOf(key),
    value: bytesOf(value),
    timestamp: timestamp ? Number(timestamp) : now,
    opaque: message,
  }
  return headers ? { ...plain, headers: headersOf(headers) } : plain
}

function headersOf(headers: IHeaders): Record<string, HeaderValueInput> {
  const given: Record<string, HeaderValueInput> = {}
  for (const [name, value] of Object.entries(headers))
    given[name] = Array.isArray(value) ? value.map(bytesOf) : bytesOf(value)
  return given
}

// Programs pass numbers and the like, whatever the types say; kafkajs writes them as text.
function bytesOf(value: unknown): Bytes | null {
  if (typeof value === 'string' || value instanceof Uint8Array) return value
  // eslint-disable-next-line @typescript-eslint/no-base-to-string -- as above
  return value === null || value === undefined ? null : String(value)
}
