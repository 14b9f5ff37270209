/** What a topic's settings say about the batches that are written to it. */
import type { AppendOptions } from '../log/log.ts'
import { codecOf } from '../log/rebuild-batch.ts'

// Kafka's default for message.timestamp.after.max.ms.
const MAX_AFTER_MS = 3_600_000

/**
 * @param setting - a setting of the topic by its name
 * @param now - ms since the epoch, by the clock of the broker that writes
 */
export function appendRules(
  setting: (name: string) => string,
  now: number,
): Omit<AppendOptions, 'leaderEpoch' | 'strictSequences'> {
  return {
    codec: codecOf(setting('compression.type')),
    maxMessageBytes: Number(setting('max.message.bytes')),
    logAppendTime: setting('message.timestamp.type') === 'LogAppendTime' ? now : null,
    needsKeys: setting('cleanup.policy').includes('compact'),
    oldestTimestamp: now - limit(setting('message.timestamp.before.max.ms'), Infinity),
    newestTimestamp: now + limit(setting('message.timestamp.after.max.ms'), MAX_AFTER_MS),
  }
}

function limit(value: string, fallback: number): number {
  return value === '' ? fallback : Number(value)
}
