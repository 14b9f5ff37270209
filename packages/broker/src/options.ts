/** The options of a cluster. */
import type { Clock } from './base/clock.ts'
import type { Network } from './base/network.ts'
import type { KafkaRelease } from './releases/versions.ts'
import type { AclBinding } from './security/acls.ts'
import type { ValidateToken } from './security/sasl/oauthbearer.ts'
import type { ScramMechanism } from './security/sasl/scram-credential.ts'
import type { UserOptions } from './security/users.ts'
import type { TlsSettings } from './server/tls.ts'
import type { TelemetryPush } from './telemetry/telemetry.ts'
import type { ProducerIds } from './transactions/producer-ids.ts'

/**
 * The SASL mechanisms that the brokers know.
 * @since 0.1.0
 */
export type SaslMechanism = 'PLAIN' | ScramMechanism | 'OAUTHBEARER'

/**
 * How clients log in.
 * @since 0.1.0
 */
export interface SaslOptions {
  /** The mechanisms that brokers offer. */
  readonly mechanisms: readonly SaslMechanism[]
  /** Users of PLAIN and SCRAM with their passwords. `setUser` and `deleteUser` change them later. */
  readonly users?: Readonly<Record<string, string | UserOptions>>
  /**
   * Validates OAUTHBEARER tokens. By default, any unsigned token with a subject is valid until it expires, as for
   * Kafka's unsecured validator.
   */
  readonly validateToken?: ValidateToken
  /** Clients have to reauthenticate after so long, ms (`connections.max.reauth.ms`, KIP-368); 0, the default: never. */
  readonly maxReauthMs?: number
}

/**
 * The security protocol of a listener.
 * @since 0.1.0
 */
export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'

/**
 * One listener of every broker. Clients are told the addresses of the listener that they use.
 * @since 0.1.0
 */
export interface ListenerOptions {
  /** Its name, as in `cluster.listener(name)`; Kafka's are in capitals: `INTERNAL`, `PLAINTEXT_HOST`. */
  readonly name: string
  readonly protocol: SecurityProtocol
  /** Port of the first broker; the others take the ports after it. 0, the default: free ports. */
  readonly port?: number
  /** Host or address to listen on; the cluster's `host` by default. */
  readonly host?: string
  /** Host that clients are told to connect to; the cluster's `advertisedHost` by default. */
  readonly advertisedHost?: string
  /** Port that clients are told, of the first broker; the others follow. The port it listens on by default. */
  readonly advertisedPort?: number
  /** For the SASL protocols: how clients log in; the cluster's `sasl` by default. All listeners share their users. */
  readonly sasl?: SaslOptions
  /** For the SSL protocols; the cluster's `tls` by default. */
  readonly tls?: TlsSettings
}

/**
 * The options of an embedded cluster.
 * @since 0.1.0
 */
export interface EmbeddedClusterOptions {
  /** Number of brokers, 1 to 100; 1 by default. */
  readonly brokers?: number
  /** Id of the first broker (`node.id`), the others count up; 1 by default. */
  readonly firstBrokerId?: number
  /** Ids of the brokers, if they do not count up; instead of `firstBrokerId`. */
  readonly brokerIds?: readonly number[]
  /**
   * Broker settings by Kafka's names, as in a `broker.properties`: `{ 'log.retention.ms': '60000' }`. Those that are the
   * defaults of topics or of groups (`group.share.record.lock.duration.ms`) take effect, as does
   * `default.replication.factor`; others are shown to clients. Options win over settings for the same. `brokerProperties`
   * reads a whole file.
   */
  readonly configs?: Readonly<Record<string, string>>
  /** Port of the first broker; the others take the ports after it. 0, the default: free ports. */
  readonly port?: number
  /** Host or address that the brokers listen on; `127.0.0.1` by default. `0.0.0.0`: all addresses. */
  readonly host?: string
  /** Host that clients are told to connect to; `host` by default, `127.0.0.1` if that stands for all addresses. */
  readonly advertisedHost?: string
  /**
   * Several listeners, as Kafka's `listeners`, `advertised.listeners` and `listener.security.protocol.map`; instead of
   * `port`. One by default, whose protocol follows from `sasl` and `tls`.
   */
  readonly listeners?: readonly ListenerOptions[]
  /**
   * Rack of each broker, in the order of the ids. If set, consumers with a `client.rack` are sent to a replica in their
   * rack (KIP-392).
   */
  readonly racks?: readonly string[]
  /** Whether a metadata request for an unknown topic may create it (`auto.create.topics.enable`); true by default. */
  readonly autoCreateTopics?: boolean
  /** Partitions of topics that are created without a number of their own; 4 by default. */
  readonly defaultPartitions?: number
  /** If set, clients have to log in. */
  readonly sasl?: SaslOptions
  /** If set, the listeners use TLS. */
  readonly tls?: TlsSettings
  /**
   * If set, even to an empty list, there is an authorizer: whatever no ACL allows is forbidden, and clients can create
   * and delete ACLs. By default everyone may do everything, and there are no ACLs.
   */
  readonly acls?: readonly AclBinding[]
  /**
   * Turns the authorizer on, too. With true everyone may use resources that no ACL names
   * (`allow.everyone.if.no.acl.found`); false by default.
   */
  readonly allowEveryoneIfNoAclFound?: boolean
  /** Users that may do everything whatever the ACLs say: `admin` or `User:admin`. */
  readonly superUsers?: readonly string[]
  /**
   * Folder in which topics, records, committed offsets and transactions outlive the cluster; created if missing. Only
   * one cluster at a time can use it. By default everything is in memory only.
   */
  readonly dataDir?: string
  /**
   * Whether a write is on the disk before it is acknowledged, so that not even a power failure loses it. By default
   * false: data outlives the process, however that ends, but not a crash of the machine.
   */
  readonly fsync?: boolean
  /**
   * `'shared'`, the default: all brokers share one log per partition, which never lags and never loses anything.
   * `'simulated'`: each broker has logs of its own and copies them from the leaders, so that a cluster loses what a real
   * one would: writes that were not replicated when their leader went down, and whatever an unclean election costs.
   * Cannot be combined with `dataDir`.
   */
  readonly replication?: 'shared' | 'simulated'
  /**
   * With simulated replication, how long a replica may lag before it leaves the ISR, ms (`replica.lag.time.max.ms`);
   * 30,000 by default, as in Kafka.
   */
  readonly replicaLagTimeMaxMs?: number
  /** The Kafka release that the brokers pose as; 4.3 by default. */
  readonly as?: KafkaRelease
  /** How long a new group waits for more members, ms (`group.initial.rebalance.delay.ms`). Default 0, in Kafka 3000. */
  readonly groupInitialRebalanceDelayMs?: number
  /** Most members of a group (`group.max.size`); no limit by default, as in Kafka. */
  readonly groupMaxSize?: number
  /**
   * Shortest session timeout of a member of a classic group, ms (`group.min.session.timeout.ms`); a shorter one is
   * refused with INVALID_SESSION_TIMEOUT. 1 by default, so that tests may have short sessions; 6000 in Kafka.
   */
  readonly groupMinSessionTimeoutMs?: number
  /** Longest such timeout, ms (`group.max.session.timeout.ms`); 1,800,000 by default, as in Kafka. */
  readonly groupMaxSessionTimeoutMs?: number
  /**
   * Which producer ids are given out. `'sequential'`, the default: 1000, 1001 and so on, as real brokers do.
   * `'random'`: positive int64s of every size, which exposes an application that stores ids in a number. Or a function that is
   * called for each.
   */
  readonly producerIds?: ProducerIds
  /** Longest timeout of a transaction, ms (`transaction.max.timeout.ms`); 900,000 by default, as in Kafka. */
  readonly transactionMaxTimeoutMs?: number
  /**
   * Compacts topics by itself, looking for some to compact so often, ms (`log.cleaner.backoff.ms`, 15,000 in Kafka): closed
   * segments, once `min.cleanable.dirty.ratio` is reached. By default only `compact` does.
   */
  readonly compactEveryMs?: number
  /** Limit for the records of all topics together, bytes; beyond it the oldest are deleted. 1 GiB by default. */
  readonly maxBytes?: number
  /**
   * How long a connection may be idle before it is cut, ms of the cluster's clock (`connections.max.idle.ms`). By
   * default ten minutes of real time, so that a test that advances its clock by hours keeps its clients.
   */
  readonly maxIdleMs?: number
  /**
   * Called with the metrics that clients push (KIP-714). Without it the brokers do not ask for any, like real ones
   * without a receiver.
   */
  readonly onTelemetry?: (push: TelemetryPush) => void
  /**
   * Whether the process may end while the cluster is open, as with `unref` of a server; false by default. Such a cluster
   * also ignores the fake timers of test runners.
   */
  readonly unref?: boolean
  /** The cluster's time; the system's by default. */
  readonly clock?: Clock
  /** Where each broker listens; the system's network by default. Cannot be combined with TLS. */
  readonly network?: (brokerId: number) => Network
  /** If set, every random choice (ids, salts, nonces) is the same for the same seed. */
  readonly seed?: number
  /**
   * Whether there is a schema registry beside the cluster (`cluster.schemaRegistryUrl`), with Confluent's REST API and its
   * topic `_schemas`; false by default. It needs the package `@ottla/schema-registry`.
   */
  readonly schemaRegistry?: boolean | SchemaRegistryListener
}

/**
 * Where the schema registry of a cluster listens.
 * @since 0.1.0
 */
export interface SchemaRegistryListener {
  /** 0, the default: a free one. */
  readonly port?: number
  /** Host or address to listen on; 127.0.0.1 by default. */
  readonly host?: string
}

/**
 * How `brokerDown` takes a broker down.
 * @since 0.1.0
 */
export interface BrokerDownOptions {
  /** Whether its partitions get other leaders; true by default. */
  readonly moveLeaders?: boolean
  /** With simulated replication, how long it takes the controller to notice and elect others, ms; 0 by default. */
  readonly detectionDelayMs?: number
  /**
   * With simulated replication, whether the broker returns without what was not on its disk yet: its logs end somewhere
   * after the last flush (`flush.messages`, `flush.ms`, at the latest after 30 s). False by default.
   */
  readonly forgets?: boolean
}

/**
 * How `createTopic` creates a topic.
 * @since 0.1.0
 */
export interface CreateTopicOptions {
  /** The cluster's `defaultPartitions` by default. */
  readonly partitions?: number
  /** 3 by default, or as many as there are brokers if these are fewer. */
  readonly replicationFactor?: number
  /** Topic configuration, as `{ 'cleanup.policy': 'compact' }`. */
  readonly configs?: Readonly<Record<string, string>>
}
