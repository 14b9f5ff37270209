/** A producer's settings, from its configuration. */
import { codecByName } from '@ottla/protocol'
import type { RecordCodecs } from '../cluster/record-codecs.ts'
import type { ProducerSettings } from '../config/resolve.ts'
import type { Partitioner } from '../types.ts'
import type { PipelineSettings } from './pipeline.ts'

// The broker may use all of request.timeout.ms before it answers, and the response takes time, too.
const WIRE_SLACK_MS = 1000

/**
 * @param partitioner - the application's own, which overrides the property
 * @param codecs - likewise
 */
export function pipelineSettings(
  settings: ProducerSettings,
  partitioner: Partitioner | undefined,
  codecs: RecordCodecs | null,
): PipelineSettings {
  const requestTimeoutMs = settings['request.timeout.ms']
  const messageTimeoutMs = settings['message.timeout.ms']
  const maxMessageBytes = settings['message.max.bytes']
  const codecName = settings['compression.codec']
  return {
    sender: {
      acks: settings['request.required.acks'],
      requestTimeoutMs,
      wireTimeoutMs: Math.max(settings['socket.timeout.ms'], requestTimeoutMs + WIRE_SLACK_MS),
      messageTimeoutMs: messageTimeoutMs === 0 ? Infinity : messageTimeoutMs,
      maxRequestBytes: maxMessageBytes,
      maxInFlight: settings['max.in.flight.requests.per.connection'],
      maxRetries: settings['message.send.max.retries'],
      backoffMs: settings['retry.backoff.ms'],
      backoffMaxMs: settings['retry.backoff.max.ms'],
      codec: codecName === 'none' ? null : (codecs?.compressing(codecName) ?? codecByName(codecName)),
      level: settings['compression.level'],
    },
    batch: {
      maxBytes: Math.min(settings['batch.size'], maxMessageBytes),
      maxMessages: settings['batch.num.messages'],
    },
    lingerMs: settings['queue.buffering.max.ms'],
    maxMessageBytes,
    maxMessages: settings['queue.buffering.max.messages'],
    maxBytes: settings['queue.buffering.max.kbytes'] * 1024,
    propagationMs: settings['topic.metadata.propagation.max.ms'],
    partitioner: partitioner ?? settings['partitioner'],
    stickyMs: settings['sticky.partitioning.linger.ms'],
    onlyErrors: settings['delivery.report.only.error'],
  }
}
