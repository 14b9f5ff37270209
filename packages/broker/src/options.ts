/** What a cluster can be made with. */
import type { Clock } from './base/clock.ts'
import type { KafkaRelease } from './releases/versions.ts'
import type { AclBinding } from './security/acls.ts'
import type { ValidateToken } from './security/sasl/oauthbearer.ts'
import type { ScramMechanism } from './security/sasl/scram-credential.ts'
import type { UserOptions } from './security/users.ts'
import type { TlsSettings } from './server/tls.ts'
import type { TelemetryPush } from './telemetry/telemetry.ts'
import type { ProducerIds } from './transactions/producer-ids.ts'

export type SaslMechanism = 'PLAIN' | ScramMechanism | 'OAUTHBEARER'

export interface SaslOptions {
  readonly mechanisms: readonly SaslMechanism[]
  /** Those who may log in by PLAIN and SCRAM, each with a password. `setUser` and `deleteUser` change them later. */
  readonly users?: Readonly<Record<string, string | UserOptions>>
  /**
   * Judges tokens of OAUTHBEARER. Left out, every token without a signature that has a subject and has not expired is
   * believed, as by Kafka's unsecured validator.
   */
  readonly validateToken?: ValidateToken
  /** Clients have to authenticate anew after so long, ms (`connections.max.reauth.ms`, KIP-368); 0: never, the default. */
  readonly maxReauthMs?: number
}

/** How an embedded cluster is made. */
export interface EmbeddedClusterOptions {
  /** Number of brokers, with ids from 1 on; 1 by default. */
  readonly brokers?: number
  /** Port of the first broker, the others take the ones behind it; 0 (default): ports that are free. */
  readonly port?: number
  readonly host?: string
  /**
   * Rack of each broker, in the order of the ids. Given, consumers with a `client.rack` are sent to a replica in theirs
   * (KIP-392).
   */
  readonly racks?: readonly string[]
  /** Whether asking for a topic creates it; true by default. */
  readonly autoCreateTopics?: boolean
  /** Partitions of topics that are created without saying how many; 4 by default. */
  readonly defaultPartitions?: number
  /** Given, clients have to log in. */
  readonly sasl?: SaslOptions
  /** Given, the brokers speak TLS. */
  readonly tls?: TlsSettings
  /** Who may do what. Given, everything else is forbidden; left out, everyone may do everything. */
  readonly acls?: readonly AclBinding[]
  /** Users that ACLs do not concern: `admin` or `User:admin`. */
  readonly superUsers?: readonly string[]
  /**
   * Folder in which topics, records, committed offsets and transactions outlive the cluster; made if it is not there. One
   * cluster at a time. Left out, everything is in memory only.
   */
  readonly dataDir?: string
  /**
   * Whether what is acknowledged is on the disk, so that even a power failure does not lose it; false by default: then it
   * outlives the process, however that ends, but not the machine.
   */
  readonly fsync?: boolean
  /** The release that the brokers pose as; 4.3 by default. */
  readonly as?: KafkaRelease
  /** How long a new group waits for more members, ms; 0 by default, 3000 on a real broker. */
  readonly groupInitialRebalanceDelayMs?: number
  /** Most members of a group; no limit by default, as Kafka's `group.max.size`. */
  readonly groupMaxSize?: number
  /**
   * Shortest session that a member of a classic group may ask for, ms (`group.min.session.timeout.ms`): a shorter one is
   * refused with INVALID_SESSION_TIMEOUT. 1 by default, so that tests may have short sessions; 6000 on a real broker.
   */
  readonly groupMinSessionTimeoutMs?: number
  /** Longest such session, ms; 1,800,000 by default, as Kafka's `group.max.session.timeout.ms`. */
  readonly groupMaxSessionTimeoutMs?: number
  /**
   * Which ids producers get. `'sequential'`, the default: 1000, 1001 and so on, as real brokers do. `'random'`: some
   * positive int64, as other brokers may, so that a program which takes one for a number shows it. Or a function that is
   * called for each.
   */
  readonly producerIds?: ProducerIds
  /** Longest transaction time-out that a producer may ask for, ms; 900,000 by default, as Kafka's `transaction.max.timeout.ms`. */
  readonly transactionMaxTimeoutMs?: number
  /** Limit for the records of all topics together, bytes: beyond it the oldest go. 1 GiB by default. */
  readonly maxBytes?: number
  /**
   * How long a connection may be silent before it is cut, ms of the cluster's clock (`connections.max.idle.ms`). Left
   * out, ten minutes of real time, so that a test that lets hours pass keeps its clients.
   */
  readonly maxIdleMs?: number
  /**
   * Told of the metrics that clients push (KIP-714). Left out, the brokers do not ask for any, like real ones without a
   * receiver.
   */
  readonly onTelemetry?: (push: TelemetryPush) => void
  readonly clock?: Clock
  /** Given, every random choice (ids, salts, nonces) is the same for the same seed. */
  readonly seed?: number
}
