/** Statistics are typed wherever events are read. Compiled, never run. */
import type { Consumer, Producer, ShareConsumer, Statistics, WindowStatistics } from '../../src/index.ts'
import { check, exactly } from './same.ts'

export async function statistics(producer: Producer, consumer: Consumer, sharer: ShareConsumer): Promise<void> {
  producer.on('stats', ({ statistics, json }) => {
    check(statistics satisfies Statistics)
    check(json satisfies string)
    check(Object.values(statistics.brokers)[0]?.rtt satisfies WindowStatistics | undefined)
    check(statistics.topics['orders']?.partitions[0]?.msgq_cnt satisfies number | undefined)
    // @ts-expect-error it is called msg_cnt
    check(statistics.msgCount satisfies number)
    // @ts-expect-error not every client has one
    check(statistics.cgrp.assignment_size satisfies number)
  })
  sharer.on('stats', event => exactly<Statistics>()(event.statistics))
  for await (const event of producer.events()) if (event.type === 'stats') check(event.statistics satisfies Statistics)
  const event = await consumer.poll(0)
  if (event?.type === 'stats') check(event.statistics.rxmsgs satisfies number)
  // @ts-expect-error only a `stats` event has them
  if (event?.type === 'throttle') check(event.statistics satisfies Statistics)
}
