/** Queues and batches of their own, for tests of single files. */
import { Batch } from '../../src/producer/queue/batch.ts'
import { PartitionQueue, type QueueObserver } from '../../src/producer/queue/partition-queue.ts'

export interface Observed extends QueueObserver {
  readonly opened: Batch[]
  readonly full: PartitionQueue[]
}

export function makeObserver(): Observed {
  const opened: Batch[] = []
  const full: PartitionQueue[] = []
  return {
    opened,
    full,
    onOpened: (_, batch) => void opened.push(batch),
    onFull: queue => void full.push(queue),
    wallOffset: () => 0,
  }
}

export function makeQueue(
  partition = 0,
  limits = { maxBytes: 1_000_000, maxMessages: 10 },
  observer: QueueObserver = makeObserver(),
  topicId = 'id-of-t',
): PartitionQueue {
  return new PartitionQueue({ name: 't', topicId }, partition, limits, observer)
}

/** Puts messages in whose values are their numbers. */
export function fill(queue: PartitionQueue, count: number, now = 0): void {
  for (let i = 0; i < count; i++) {
    const value = String(queue.nextMsgid)
    queue.append({ topic: 't', value }, null, null, value, undefined, 0, now, 100)
  }
}

/** A batch of `count` messages, of which the first has the number `baseMsgid`. */
export function makeBatch(baseMsgid: number, count = 1): Batch {
  const batch = new Batch(1000, baseMsgid, 0)
  for (let i = 0; i < count; i++) {
    const value = String(baseMsgid + i)
    batch.append({ topic: 't', value }, null, null, value, undefined, 0, i)
  }
  return batch
}

/** Numbers of the batches' first messages, in order. */
export function order(batches: Iterable<Batch>): number[] {
  return Array.from(batches, ({ baseMsgid }) => baseMsgid)
}
