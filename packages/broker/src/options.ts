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

const MAX_BROKERS = 100

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
 * The options of an embedded cluster.
 * @since 0.1.0
 */
export interface EmbeddedClusterOptions {
  /** Number of brokers, 1 to 100, with ids from 1 on; 1 by default. */
  readonly brokers?: number
  /** Port of the first broker; the others take the ports after it. 0, the default: free ports. */
  readonly port?: number
  /** Host or address that the brokers listen on and advertise; `127.0.0.1` by default. */
  readonly host?: string
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
  /** If set, even to an empty list, whatever no ACL allows is forbidden. By default everyone may do everything. */
  readonly acls?: readonly AclBinding[]
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
  /** Where each broker listens; the system's network by default. Cannot be combined with `tls`. */
  readonly network?: (brokerId: number) => Network
  /** If set, every random choice (ids, salts, nonces) is the same for the same seed. */
  readonly seed?: number
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

/** How many brokers the options ask for. Throws Error for options that cannot be had, or not together. */
export function brokerCount({ brokers = 1, replication, dataDir, network, tls }: EmbeddedClusterOptions): number {
  if (!Number.isInteger(brokers) || brokers < 1 || brokers > MAX_BROKERS) {
    throw new RangeError(`brokers is ${brokers}; it must be a whole number from 1 to ${MAX_BROKERS}`)
  }
  if (replication === 'simulated' && dataDir !== undefined) {
    throw new Error("dataDir cannot be combined with replication: 'simulated', whose logs are in memory only")
  }
  if (network !== undefined && tls !== undefined) {
    throw new Error("tls cannot be combined with network: TLS listeners are the system's")
  }
  return brokers
}
