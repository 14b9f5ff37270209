import { addressOf } from '../base/brokers.ts'
import { hostPort } from '../base/host-port.ts'
import { INTERNAL_TOPIC_PARTITIONS } from '../topics/internal-topics.ts'
import { logDirOf } from '../topics/log-dirs.ts'
import type { Stores } from './stores.ts'

export type SettingSources = Pick<
  Stores,
  | 'brokers'
  | 'topics'
  | 'replication'
  | 'autoCreateTopics'
  | 'groups'
  | 'transactions'
  | 'listeners'
  | 'authorizer'
  | 'brokerConfigs'
>

/** The settings that a broker was started with. */
export function startSettings(
  brokerId: number,
  {
    brokers,
    topics,
    replication,
    autoCreateTopics,
    groups,
    transactions,
    listeners,
    authorizer,
    brokerConfigs,
  }: SettingSources,
): ReadonlyMap<string, string> {
  const broker = brokers.get(brokerId)
  const { endpoints = [], rack = null } = broker ?? {}
  const advertised = endpoints.map(({ name }, at) => {
    const { host, port } = addressOf({ endpoints }, at)
    return `${name}://${hostPort(host, port)}`
  })
  const isOwnName = endpoints.some(({ name, protocol }) => name !== protocol)
  const mechanisms = new Set(listeners.flatMap(listener => listener.mechanisms))
  const maxReauthMs = Math.max(0, ...listeners.map(listener => listener.maxReauthMs))
  const factor = String(topics.replicationFactor)
  const { initialRebalanceDelayMs, maxSize } = groups.classic
  const settings: [string, string | null][] = [
    ['broker.id', String(brokerId)],
    ['node.id', String(brokerId)],
    ['broker.rack', rack],
    ['process.roles', 'broker,controller'],
    ['listeners', endpoints.map(({ name, host, port }) => `${name}://${hostPort(host, port)}`).join(',')],
    ['advertised.listeners', advertised.join(',')],
    [
      'listener.security.protocol.map',
      isOwnName ? endpoints.map(({ name, protocol }) => `${name}:${protocol}`).join(',') : null,
    ],
    ['log.dirs', logDirOf(brokerId)],
    ['num.partitions', String(topics.defaultPartitions)],
    ['default.replication.factor', factor],
    ['offsets.topic.replication.factor', factor],
    ['transaction.state.log.replication.factor', factor],
    ['offsets.topic.num.partitions', String(INTERNAL_TOPIC_PARTITIONS)],
    ['transaction.state.log.num.partitions', String(INTERNAL_TOPIC_PARTITIONS)],
    ['auto.create.topics.enable', String(autoCreateTopics)],
    ['auto.leader.rebalance.enable', 'false'],
    ['group.initial.rebalance.delay.ms', String(initialRebalanceDelayMs)],
    ['replica.lag.time.max.ms', replication === null ? null : String(replication.maxLagMs)],
    ['group.max.size', maxSize === Infinity ? null : String(maxSize)],
    ['group.min.session.timeout.ms', String(groups.sessionLimits.minMs)],
    ['group.max.session.timeout.ms', String(groups.sessionLimits.maxMs)],
    ['group.consumer.min.session.timeout.ms', '1'],
    ['group.consumer.min.heartbeat.interval.ms', '1'],
    ['group.consumer.assignment.interval.ms', groups.configs.ofBrokers('consumer.assignment.interval.ms') ?? '0'],
    ['group.share.min.session.timeout.ms', '1'],
    ['group.share.min.heartbeat.interval.ms', '1'],
    ['group.share.assignment.interval.ms', groups.configs.ofBrokers('share.assignment.interval.ms') ?? '0'],
    ['transaction.max.timeout.ms', String(transactions.maxTimeoutMs)],
    ['connections.max.reauth.ms', String(maxReauthMs)],
    ['sasl.enabled.mechanisms', [...mechanisms].join(',') || null],
    ['authorizer.class.name', authorizer.enforced ? 'org.apache.kafka.metadata.authorizer.StandardAuthorizer' : null],
  ]
  const own = settings.flatMap(([name, value]): [string, string][] => (value === null ? [] : [[name, value]]))
  return new Map([...brokerConfigs.given, ...own])
}
