/** Copies a topic exactly once, by members of a group that join, leave and fail in the middle of a transaction. */
import { Consumer, Producer, type ClientConfig } from 'ottla'

const quiet = (): void => undefined

export interface CopierOptions {
  readonly client: ClientConfig
  readonly group: string
  readonly from: string
  readonly to: string
  readonly protocol: 'classic' | 'consumer'
  readonly random: () => number
}

/** Copies until `over` is aborted, as one member after the other. @returns the number of members */
export async function copy(number: number, options: CopierOptions, over: AbortSignal): Promise<number> {
  const { client, group, from, to, protocol, random } = options
  let members = 0
  while (!over.aborted) {
    members++
    const classic = { 'session.timeout.ms': 6000, 'partition.assignment.strategy': 'cooperative-sticky' }
    const consumer = new Consumer(
      {
        ...client,
        'group.id': group,
        'group.protocol': protocol,
        'auto.offset.reset': 'earliest',
        'enable.auto.commit': false,
        ...(protocol === 'classic' ? classic : {}),
      },
      { logger: quiet },
    )
    consumer.subscribe(from)
    // Every second member reuses the same transactional id; the others have their own.
    const id = members % 2 === 0 ? `${group}-${number}` : `${group}-${number}-${members}`
    const producer = new Producer({ ...client, 'transactional.id': id, 'linger.ms': 1 }, { logger: quiet })
    const leaving = new AbortController()
    let batches = 1 + Math.floor(random() * 60)
    try {
      await producer.transactional(
        consumer,
        (batch, tx) => {
          for (const { partition, value } of batch) tx.produce({ topic: to, partition, value }, quiet)
          batches--
          if (batches > 0) return
          if (random() < 0.5) throw new Error('lost')
          leaving.abort()
        },
        { maxMessages: 50, signal: AbortSignal.any([over, leaving.signal]) },
      )
    } catch {
      // The next member continues.
    }
    await Promise.all([producer.close(2000), consumer.close(2000)])
  }
  return members
}
