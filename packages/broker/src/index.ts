export type { AclBinding } from './acls.ts'
export type { Clock, Timer } from './clock.ts'
export {
  EmbeddedCluster,
  portsAreFree,
  type CreateTopicOptions,
  type EmbeddedClusterOptions,
  type SaslMechanism,
} from './cluster.ts'
export type { Fault, FaultInput, TrackedRequest } from './faults.ts'
export type { KafkaRelease } from './versions.ts'
