/* eslint-disable @typescript-eslint/no-namespace -- without values they are types only, which is how `Enum.MEMBER` can be a type */
/** The enums as values, as their types, and their members as types. */
import type * as declared from './types/enums.ts'

/** What a group is doing. */
export const ConsumerGroupStates = valuesOf<typeof declared.ConsumerGroupStates>({
  UNKNOWN: 0,
  PREPARING_REBALANCE: 1,
  COMPLETING_REBALANCE: 2,
  STABLE: 3,
  DEAD: 4,
  EMPTY: 5,
})
export type ConsumerGroupStates = declared.ConsumerGroupStates
export namespace ConsumerGroupStates {
  export type UNKNOWN = declared.ConsumerGroupStates.UNKNOWN
  export type PREPARING_REBALANCE = declared.ConsumerGroupStates.PREPARING_REBALANCE
  export type COMPLETING_REBALANCE = declared.ConsumerGroupStates.COMPLETING_REBALANCE
  export type STABLE = declared.ConsumerGroupStates.STABLE
  export type DEAD = declared.ConsumerGroupStates.DEAD
  export type EMPTY = declared.ConsumerGroupStates.EMPTY
}

/** By which protocol the members of a group agree. */
export const ConsumerGroupTypes = valuesOf<typeof declared.ConsumerGroupTypes>({ UNKNOWN: 0, CONSUMER: 1, CLASSIC: 2 })
export type ConsumerGroupTypes = declared.ConsumerGroupTypes
export namespace ConsumerGroupTypes {
  export type UNKNOWN = declared.ConsumerGroupTypes.UNKNOWN
  export type CONSUMER = declared.ConsumerGroupTypes.CONSUMER
  export type CLASSIC = declared.ConsumerGroupTypes.CLASSIC
}

/** What may be allowed. */
export const AclOperationTypes = valuesOf<typeof declared.AclOperationTypes>({
  ALL: 2,
  ALTER: 7,
  ALTER_CONFIGS: 11,
  ANY: 1,
  CLUSTER_ACTION: 9,
  CREATE: 5,
  DELETE: 6,
  DESCRIBE: 8,
  DESCRIBE_CONFIGS: 10,
  IDEMPOTENT_WRITE: 12,
  READ: 3,
  UNKNOWN: 0,
  WRITE: 4,
})
export type AclOperationTypes = declared.AclOperationTypes
export namespace AclOperationTypes {
  export type ALL = declared.AclOperationTypes.ALL
  export type ALTER = declared.AclOperationTypes.ALTER
  export type ALTER_CONFIGS = declared.AclOperationTypes.ALTER_CONFIGS
  export type ANY = declared.AclOperationTypes.ANY
  export type CLUSTER_ACTION = declared.AclOperationTypes.CLUSTER_ACTION
  export type CREATE = declared.AclOperationTypes.CREATE
  export type DELETE = declared.AclOperationTypes.DELETE
  export type DESCRIBE = declared.AclOperationTypes.DESCRIBE
  export type DESCRIBE_CONFIGS = declared.AclOperationTypes.DESCRIBE_CONFIGS
  export type IDEMPOTENT_WRITE = declared.AclOperationTypes.IDEMPOTENT_WRITE
  export type READ = declared.AclOperationTypes.READ
  export type UNKNOWN = declared.AclOperationTypes.UNKNOWN
  export type WRITE = declared.AclOperationTypes.WRITE
}

/** Whether offsets of messages count that are in a transaction which is not committed. */
export const IsolationLevel = valuesOf<typeof declared.IsolationLevel>({ READ_UNCOMMITTED: 0, READ_COMMITTED: 1 })
export type IsolationLevel = declared.IsolationLevel
export namespace IsolationLevel {
  export type READ_UNCOMMITTED = declared.IsolationLevel.READ_UNCOMMITTED
  export type READ_COMMITTED = declared.IsolationLevel.READ_COMMITTED
}

/** How much is logged. The environment variable `KAFKAJS_LOG_LEVEL` (`DEBUG`) takes precedence over `logLevel` in a `kafkaJS` block. */
export const logLevel = valuesOf<typeof declared.logLevel>({ NOTHING: 0, ERROR: 1, WARN: 2, INFO: 3, DEBUG: 4 })
export type logLevel = declared.logLevel
export namespace logLevel {
  export type NOTHING = declared.logLevel.NOTHING
  export type ERROR = declared.logLevel.ERROR
  export type WARN = declared.logLevel.WARN
  export type INFO = declared.logLevel.INFO
  export type DEBUG = declared.logLevel.DEBUG
}

/** How a producer compresses. */
export const CompressionTypes = valuesOf<typeof declared.CompressionTypes>({
  None: 'none',
  GZIP: 'gzip',
  SNAPPY: 'snappy',
  Snappy: 'snappy',
  LZ4: 'lz4',
  ZSTD: 'zstd',
})
export type CompressionTypes = declared.CompressionTypes
export namespace CompressionTypes {
  export type None = declared.CompressionTypes.None
  export type GZIP = declared.CompressionTypes.GZIP
  export type SNAPPY = declared.CompressionTypes.SNAPPY
  export type Snappy = declared.CompressionTypes.Snappy
  export type LZ4 = declared.CompressionTypes.LZ4
  export type ZSTD = declared.CompressionTypes.ZSTD
}

/** How the leader of a group divides the partitions. */
export const PartitionAssigners = valuesOf<typeof declared.PartitionAssigners>({
  roundRobin: 'roundrobin',
  range: 'range',
  cooperativeSticky: 'cooperative-sticky',
})
export type PartitionAssigners = declared.PartitionAssigners
export namespace PartitionAssigners {
  export type roundRobin = declared.PartitionAssigners.roundRobin
  export type range = declared.PartitionAssigners.range
  export type cooperativeSticky = declared.PartitionAssigners.cooperativeSticky
}

/** The other name of `PartitionAssigners`. */
export const PartitionAssignors: typeof declared.PartitionAssigners = PartitionAssigners
export type PartitionAssignors = declared.PartitionAssigners
export namespace PartitionAssignors {
  export type roundRobin = declared.PartitionAssigners.roundRobin
  export type range = declared.PartitionAssigners.range
  export type cooperativeSticky = declared.PartitionAssigners.cooperativeSticky
}

/** The members' values as the enum that they are declared as. */
function valuesOf<E>(members: { readonly [Member in keyof E]: number | string }): E {
  return Object.freeze(members) as unknown as E // the same members, by the parameter's type
}
