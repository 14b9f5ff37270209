/** Statistics are typed wherever events are read. Compiled, never run. */
import type { Consumer, Producer, ShareConsumer, Statistics, WindowStatistics } from '../../src/index.ts'
import type { Same } from './same.ts'

export async function statistics(producer: Producer, consumer: Consumer, sharer: ShareConsumer): Promise<void> {
  producer.on('stats', ({ statistics, json }) => {
    void (statistics satisfies Statistics)
    void (json satisfies string)
    void (Object.values(statistics.brokers)[0]?.rtt satisfies WindowStatistics | undefined)
    void (statistics.topics['orders']?.partitions[0]?.msgq_cnt satisfies number | undefined)
    // @ts-expect-error it is called msg_cnt
    void (statistics.msgCount satisfies number)
    // @ts-expect-error not every client has one
    void (statistics.cgrp.assignment_size satisfies number)
  })
  sharer.on('stats', event => void (true satisfies Same<typeof event.statistics, Statistics>))
  for await (const event of producer.events()) if (event.type === 'stats') void (event.statistics satisfies Statistics)
  const event = await consumer.poll(0)
  if (event?.type === 'stats') void (event.statistics.rxmsgs satisfies number)
  // @ts-expect-error only a `stats` event has them
  if (event?.type === 'throttle') void (event.statistics satisfies Statistics)
}
