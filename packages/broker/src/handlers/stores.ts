import type { Brokers } from '../base/brokers.ts'
import type { Clock } from '../base/clock.ts'
import type { PerBroker } from '../base/per-broker.ts'
import type { BrokerConfigs } from '../configs/broker-configs.ts'
import type { Groups } from '../groups/groups.ts'
import type { ShareSessions } from '../groups/share-sessions.ts'
import type { ClientQuotas } from '../quotas/client-quotas.ts'
import type { Features } from '../releases/features.ts'
import type { VersionRange } from '../releases/versions.ts'
import type { Replication } from '../replication/replication.ts'
import type { Authorizer } from '../security/acls.ts'
import type { ListenerLogIn, LogIn } from '../security/log-in.ts'
import type { ClientMetrics } from '../telemetry/client-metrics.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { LogCleaner } from '../topics/cleaner.ts'
import type { Coordinators } from '../topics/coordinators.ts'
import type { FetchSessions } from '../topics/fetch-sessions.ts'
import type { Retention } from '../topics/retention.ts'
import type { TopicStore } from '../topics/topics.ts'
import type { TransactionCoordinator } from '../transactions/coordinator.ts'
import type { ProducerIdSource } from '../transactions/producer-ids.ts'
import type { TransactionalOffsets } from '../transactions/transactional-offsets.ts'

/** The state that the brokers of a cluster share. A handler names the parts that it uses. */
export interface Stores {
  readonly clusterId: string
  readonly clock: Clock
  readonly brokers: Brokers
  readonly topics: TopicStore
  /** Whether a metadata request may create a topic. */
  readonly autoCreateTopics: boolean
  readonly retention: Retention
  /** null: topics are compacted on command only. */
  readonly cleaner: LogCleaner | null
  readonly coordinators: Coordinators
  /** null: all brokers share one log per partition. */
  readonly replication: Replication | null
  /** They end when the broker goes down. */
  readonly fetchSessions: PerBroker<FetchSessions>
  /** Replicas that `setPreferredReplica` sends consumers to, by `topic/partition`. */
  readonly preferredReplicas: Map<string, number>
  readonly groups: Groups
  readonly shareSessions: PerBroker<ShareSessions>
  readonly transactions: TransactionCoordinator
  readonly transactionalOffsets: TransactionalOffsets
  readonly producerIds: ProducerIdSource
  readonly authorizer: Authorizer
  readonly logIn: LogIn
  /** The listeners that every broker has. */
  readonly listeners: readonly ListenerLogIn[]
  readonly quotas: ClientQuotas
  readonly clientMetrics: ClientMetrics
  /** null: the cluster does not collect metrics. */
  readonly telemetry: Telemetry | null
  readonly brokerConfigs: BrokerConfigs
  /** Log levels by logger name. */
  readonly logLevels: PerBroker<Map<string, string>>
  /** The versions that are served, by API key. */
  readonly versions: Map<number, VersionRange>
  readonly features: Features
}
