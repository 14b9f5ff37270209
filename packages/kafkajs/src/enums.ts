/* eslint-disable @typescript-eslint/no-namespace -- without values they are types only, which is how `Enum.MEMBER` can be a type */
/** The enums as values, as their types, and their members as types. */
import type * as declared from './types/enums.ts'

/** How much is logged. The environment variable `KAFKAJS_LOG_LEVEL` (`DEBUG`) takes precedence. */
export const logLevel = valuesOf<typeof declared.logLevel>({ NOTHING: 0, ERROR: 1, WARN: 2, INFO: 4, DEBUG: 5 })
export type logLevel = declared.logLevel
export namespace logLevel {
  export type NOTHING = declared.logLevel.NOTHING
  export type ERROR = declared.logLevel.ERROR
  export type WARN = declared.logLevel.WARN
  export type INFO = declared.logLevel.INFO
  export type DEBUG = declared.logLevel.DEBUG
}

/** How `send` compresses. All of them are built in; `CompressionCodecs` may name others. */
export const CompressionTypes = valuesOf<typeof declared.CompressionTypes>({
  None: 0,
  GZIP: 1,
  Snappy: 2,
  LZ4: 3,
  ZSTD: 4,
})
export type CompressionTypes = declared.CompressionTypes
export namespace CompressionTypes {
  export type None = declared.CompressionTypes.None
  export type GZIP = declared.CompressionTypes.GZIP
  export type Snappy = declared.CompressionTypes.Snappy
  export type LZ4 = declared.CompressionTypes.LZ4
  export type ZSTD = declared.CompressionTypes.ZSTD
}

/** What has settings: a topic, a broker, the levels of its loggers. */
export const ConfigResourceTypes = valuesOf<typeof declared.ConfigResourceTypes>({
  UNKNOWN: 0,
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
})
export type ConfigResourceTypes = declared.ConfigResourceTypes
export namespace ConfigResourceTypes {
  export type UNKNOWN = declared.ConfigResourceTypes.UNKNOWN
  export type TOPIC = declared.ConfigResourceTypes.TOPIC
  export type BROKER = declared.ConfigResourceTypes.BROKER
  export type BROKER_LOGGER = declared.ConfigResourceTypes.BROKER_LOGGER
}

/** Where the value of a setting comes from. */
export const ConfigSource = valuesOf<typeof declared.ConfigSource>({
  UNKNOWN: 0,
  TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  DYNAMIC_BROKER_LOGGER_CONFIG: 6,
})
export type ConfigSource = declared.ConfigSource
export namespace ConfigSource {
  export type UNKNOWN = declared.ConfigSource.UNKNOWN
  export type TOPIC_CONFIG = declared.ConfigSource.TOPIC_CONFIG
  export type DYNAMIC_BROKER_CONFIG = declared.ConfigSource.DYNAMIC_BROKER_CONFIG
  export type DYNAMIC_DEFAULT_BROKER_CONFIG = declared.ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG
  export type STATIC_BROKER_CONFIG = declared.ConfigSource.STATIC_BROKER_CONFIG
  export type DEFAULT_CONFIG = declared.ConfigSource.DEFAULT_CONFIG
  export type DYNAMIC_BROKER_LOGGER_CONFIG = declared.ConfigSource.DYNAMIC_BROKER_LOGGER_CONFIG
}

/** What a rule is about. */
export const AclResourceTypes = valuesOf<typeof declared.AclResourceTypes>({
  UNKNOWN: 0,
  ANY: 1,
  TOPIC: 2,
  GROUP: 3,
  CLUSTER: 4,
  TRANSACTIONAL_ID: 5,
  DELEGATION_TOKEN: 6,
})
export type AclResourceTypes = declared.AclResourceTypes
export namespace AclResourceTypes {
  export type UNKNOWN = declared.AclResourceTypes.UNKNOWN
  export type ANY = declared.AclResourceTypes.ANY
  export type TOPIC = declared.AclResourceTypes.TOPIC
  export type GROUP = declared.AclResourceTypes.GROUP
  export type CLUSTER = declared.AclResourceTypes.CLUSTER
  export type TRANSACTIONAL_ID = declared.AclResourceTypes.TRANSACTIONAL_ID
  export type DELEGATION_TOKEN = declared.AclResourceTypes.DELEGATION_TOKEN
}

/** What a rule allows or denies. */
export const AclOperationTypes = valuesOf<typeof declared.AclOperationTypes>({
  UNKNOWN: 0,
  ANY: 1,
  ALL: 2,
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
})
export type AclOperationTypes = declared.AclOperationTypes
export namespace AclOperationTypes {
  export type UNKNOWN = declared.AclOperationTypes.UNKNOWN
  export type ANY = declared.AclOperationTypes.ANY
  export type ALL = declared.AclOperationTypes.ALL
  export type READ = declared.AclOperationTypes.READ
  export type WRITE = declared.AclOperationTypes.WRITE
  export type CREATE = declared.AclOperationTypes.CREATE
  export type DELETE = declared.AclOperationTypes.DELETE
  export type ALTER = declared.AclOperationTypes.ALTER
  export type DESCRIBE = declared.AclOperationTypes.DESCRIBE
  export type CLUSTER_ACTION = declared.AclOperationTypes.CLUSTER_ACTION
  export type DESCRIBE_CONFIGS = declared.AclOperationTypes.DESCRIBE_CONFIGS
  export type ALTER_CONFIGS = declared.AclOperationTypes.ALTER_CONFIGS
  export type IDEMPOTENT_WRITE = declared.AclOperationTypes.IDEMPOTENT_WRITE
}

/** Whether a rule allows or denies. */
export const AclPermissionTypes = valuesOf<typeof declared.AclPermissionTypes>({
  UNKNOWN: 0,
  ANY: 1,
  DENY: 2,
  ALLOW: 3,
})
export type AclPermissionTypes = declared.AclPermissionTypes
export namespace AclPermissionTypes {
  export type UNKNOWN = declared.AclPermissionTypes.UNKNOWN
  export type ANY = declared.AclPermissionTypes.ANY
  export type DENY = declared.AclPermissionTypes.DENY
  export type ALLOW = declared.AclPermissionTypes.ALLOW
}

/** Whether the name of a rule is the whole name, the beginning of names, or (in a filter) whatever matches. */
export const ResourcePatternTypes = valuesOf<typeof declared.ResourcePatternTypes>({
  UNKNOWN: 0,
  ANY: 1,
  MATCH: 2,
  LITERAL: 3,
  PREFIXED: 4,
})
export type ResourcePatternTypes = declared.ResourcePatternTypes
export namespace ResourcePatternTypes {
  export type UNKNOWN = declared.ResourcePatternTypes.UNKNOWN
  export type ANY = declared.ResourcePatternTypes.ANY
  export type MATCH = declared.ResourcePatternTypes.MATCH
  export type LITERAL = declared.ResourcePatternTypes.LITERAL
  export type PREFIXED = declared.ResourcePatternTypes.PREFIXED
}

/** The members' numbers as the enum that they are declared as. */
function valuesOf<E>(members: { readonly [Member in keyof E]: number }): E {
  return members as unknown as E // the same members, by the parameter's type
}
