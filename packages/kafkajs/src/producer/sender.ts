/** `send` and `sendBatch`, of a producer and of a transaction. */
import { ErrorCode, KafkaError, type Producer, type ProducerMessage } from 'ottla'
import { KafkaJSNonRetriableError } from '../errors.ts'
import { CompressionTypes } from '../enums.ts'
import type { ProducerBatch, ProducerRecord, RecordMetadata, Sender } from '../types/producer.ts'
import { withRetries } from '../translate/attempts.ts'
import { toFinalError } from '../translate/errors.ts'
import type { RetryPlan } from '../translate/retry.ts'
import { checkedMessages, toProducerMessage } from './messages.ts'
import type { SendOptions } from './pool.ts'
import { failureOf, recordMetadata } from './results.ts'
import type { ProducerTopics } from './topics.ts'

export interface SenderHost {
  readonly plan: RetryPlan
  readonly topics: ProducerTopics
  readonly isIdempotent: boolean
  /** Sending to a topic that does not exist may create it. */
  readonly mayCreate: boolean
  /** How long to wait for metadata, ms. */
  readonly timeoutMs: number
  /** The producer to send with. Throws while it cannot be used. */
  producer(options: SendOptions): Producer | Promise<Producer>
}

export function senderOf(host: SenderHost): Sender {
  const sendBatch = async (batch: ProducerBatch): Promise<RecordMetadata[]> => {
    try {
      return await sendAll(host, batch)
    } catch (error) {
      throw toFinalError(error, host.plan)
    }
  }
  return {
    send: ({ topic, messages, ...options }: ProducerRecord) =>
      sendBatch({ ...options, topicMessages: [{ topic, messages }] }),
    sendBatch,
  }
}

async function sendAll(
  host: SenderHost,
  { acks = -1, timeout, compression = CompressionTypes.None, topicMessages = [] }: ProducerBatch,
): Promise<RecordMetadata[]> {
  if (topicMessages.some(({ topic }) => !topic)) throw new KafkaJSNonRetriableError('Invalid topic')
  if (host.isIdempotent && acks !== -1) {
    throw new KafkaJSNonRetriableError(
      "Not requiring ack for all messages invalidates the idempotent producer's EoS guarantees",
    )
  }
  if (acks !== -1 && acks !== 0 && acks !== 1) throw new KafkaJSNonRetriableError(`Invalid acks ${acks}: -1, 0 or 1`)
  const checked = checkedMessages(topicMessages)
  const producer = await host.producer({ acks, compression, timeout })
  const isMissing = (error: unknown): boolean =>
    error instanceof KafkaError && error.code === ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART
  for (const { topic } of checked) {
    await withRetries(host.plan, () => host.topics.prepare(topic, producer, host.timeoutMs, host.mayCreate), isMissing)
  }
  const now = Date.now()
  const messages: ProducerMessage[] = []
  for (const each of checked) {
    for (const message of each.messages) messages.push(toProducerMessage(each.topic, message, now))
  }
  const reports = await producer.sendBatch(messages)
  const failure = failureOf(reports)
  if (failure !== undefined) {
    host.topics.forget(checked.map(({ topic }) => topic))
    throw failure
  }
  return acks === 0 ? [] : recordMetadata(reports, messages)
}
