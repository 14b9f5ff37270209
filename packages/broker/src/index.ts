export type { AclBinding, AclOperation, AclPatternType, AclResourceType } from './security/acls.ts'
export type { Clock, Timer } from './base/clock.ts'
export type { Network, NetworkServer, NetworkSocket } from './base/network.ts'
export { EmbeddedCluster } from './cluster.ts'
export type { ContentCommands } from './content-commands.ts'
export type { Fault, FaultInput } from './control/faults.ts'
export type { CommittedPartition } from './groups/group.ts'
export type { GroupMember, GroupState, GroupStatus } from './groups/status.ts'
export { portsAreFree } from './ports.ts'
export { brokerProperties } from './properties.ts'
export type { ReplicaStatus } from './replication/replication.ts'
export type { ReplicationCommands } from './replication-commands.ts'
export type { StoredMessage } from './topics/messages.ts'
export type { MessageInput } from './topics/writing.ts'
export type { Control, TrackedRequest } from './control/observers.ts'
export type {
  BrokerDownOptions,
  CreateTopicOptions,
  EmbeddedClusterOptions,
  ListenerOptions,
  SaslMechanism,
  SaslOptions,
  SchemaRegistryListener,
  SecurityProtocol,
} from './options.ts'
export type { ScramMechanism } from './security/sasl/scram-credential.ts'
export type { BearerToken, ValidateToken } from './security/sasl/oauthbearer.ts'
export type { TelemetryPush } from './telemetry/telemetry.ts'
export type { ProducerIds } from './transactions/producer-ids.ts'
export type { TlsSettings } from './server/tls.ts'
export type { UserOptions } from './security/users.ts'
export type { KafkaRelease } from './releases/versions.ts'
