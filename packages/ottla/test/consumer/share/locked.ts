/** Messages of a share group, for tests. */
import { PendingAcknowledgements } from '../../../src/consumer/share/acknowledgements.ts'
import { LockedMessage, type ShareLot, type ShareSource } from '../../../src/consumer/share/message.ts'
import { batch } from '../batches.ts'

export function sourceOf(partition = 0): ShareSource {
  const pending = new PendingAcknowledgements()
  return { topic: 't', topicId: 'id', partition, name: `t [${partition}]`, node: 1, pending, held: 0, isLost: false }
}

/** Consecutive messages of one response, delivered for the first time unless said otherwise. */
export function lockedMessages(
  source: ShareSource,
  firstOffset: number,
  count: number,
  { lockedUntil = 1000, deliveryCount = 1, since = 0 } = {},
): LockedMessage[] {
  const lot: ShareLot = { since, count, waiting: count }
  const records = batch(firstOffset, count).records()
  const messages: LockedMessage[] = []
  while (records.next()) messages.push(new LockedMessage(records, source, lot, deliveryCount, lockedUntil))
  return messages
}
