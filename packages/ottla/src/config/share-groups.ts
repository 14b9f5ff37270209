/** What a share consumer takes of the consumers' properties: a share group's settings are the brokers'. */
import type { PropertyName } from './table.ts'

/** Properties of share consumers, without effect on a Consumer. */
export const shareOnly: readonly PropertyName[] = [
  'max.poll.records',
  'share.acknowledgement.mode',
  'ottla.share.acquire.mode',
]

/** Properties that a share consumer refuses, with why not or what to use instead. */
export const shareRefusals: Readonly<Partial<Record<PropertyName, string>>> = {
  'auto.offset.reset': "use the group's share.auto.offset.reset, set on the brokers",
  'isolation.level': "use the group's share.isolation.level, set on the brokers",
  'session.timeout.ms': "use the group's share.session.timeout.ms, set on the brokers",
  'heartbeat.interval.ms': "use the group's share.heartbeat.interval.ms, set on the brokers",
  'enable.auto.commit': 'use share.acknowledgement.mode',
  'auto.commit.interval.ms': 'use share.acknowledgement.mode',
  'enable.auto.offset.store': 'use share.acknowledgement.mode',
  'group.instance.id': 'share groups have no static members',
  'group.protocol': 'share groups have a protocol of their own',
  'group.remote.assignor': 'the brokers choose how share groups assign partitions',
  'partition.assignment.strategy': 'the brokers choose how share groups assign partitions',
  'enable.partition.eof': 'a member of a share group has no position that could reach the end',
}
