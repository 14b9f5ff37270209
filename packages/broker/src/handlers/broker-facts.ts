import { hostPort } from '../base/host-port.ts'
import { INTERNAL_TOPIC_PARTITIONS } from '../topics/internal-topics.ts'
import { logDirOf } from '../topics/log-dirs.ts'
import type { ClusterState } from '../state.ts'

/** What a broker was started with, in the words of its settings. */
export function brokerFacts(state: ClusterState, brokerId: number): ReadonlyMap<string, string> {
  const { host = '', port = 0, rack = null } = state.broker(brokerId) ?? {}
  const protocol = state.saslMechanisms.length > 0 ? 'SASL_PLAINTEXT' : 'PLAINTEXT'
  const listener = `${protocol}://${hostPort(host, port)}`
  const factor = String(Math.min(3, state.brokers.length))
  const { initialRebalanceDelayMs, maxSize } = state.classicGroups
  const facts: [string, string | null][] = [
    ['broker.id', String(brokerId)],
    ['node.id', String(brokerId)],
    ['broker.rack', rack],
    ['process.roles', 'broker,controller'],
    ['listeners', listener],
    ['advertised.listeners', listener],
    ['log.dirs', logDirOf(brokerId)],
    ['num.partitions', String(state.topics.defaultPartitions)],
    ['default.replication.factor', factor],
    ['offsets.topic.replication.factor', factor],
    ['transaction.state.log.replication.factor', factor],
    ['offsets.topic.num.partitions', String(INTERNAL_TOPIC_PARTITIONS)],
    ['transaction.state.log.num.partitions', String(INTERNAL_TOPIC_PARTITIONS)],
    ['auto.create.topics.enable', String(state.autoCreateTopics)],
    ['auto.leader.rebalance.enable', 'false'],
    ['group.initial.rebalance.delay.ms', String(initialRebalanceDelayMs)],
    ['group.max.size', maxSize === Infinity ? null : String(maxSize)],
    ['group.min.session.timeout.ms', String(state.sessionLimits.minMs)],
    ['group.max.session.timeout.ms', String(state.sessionLimits.maxMs)],
    ['group.consumer.min.session.timeout.ms', '1'],
    ['group.consumer.min.heartbeat.interval.ms', '1'],
    ['group.consumer.assignment.interval.ms', '0'],
    ['group.share.min.session.timeout.ms', '1'],
    ['group.share.min.heartbeat.interval.ms', '1'],
    ['group.share.assignment.interval.ms', '0'],
    ['transaction.max.timeout.ms', String(state.transactionMaxTimeoutMs)],
    ['connections.max.reauth.ms', String(state.maxReauthMs)],
    ['sasl.enabled.mechanisms', state.saslMechanisms.join(',') || null],
    [
      'authorizer.class.name',
      state.authorizer.enforced ? 'org.apache.kafka.metadata.authorizer.StandardAuthorizer' : null,
    ],
  ]
  return new Map(facts.flatMap(([name, value]) => (value === null ? [] : [[name, value]])))
}
