/**
 * The enums of administration and of `KafkaJS`, as types alone: the values are in `../enums.ts`. They are declared, not
 * defined, because Confluent's own are plain objects without the numbers as keys.
 */

export declare enum ConsumerGroupStates {
  UNKNOWN = 0,
  PREPARING_REBALANCE = 1,
  COMPLETING_REBALANCE = 2,
  STABLE = 3,
  DEAD = 4,
  EMPTY = 5,
}

export declare enum ConsumerGroupTypes {
  UNKNOWN = 0,
  CONSUMER = 1,
  CLASSIC = 2,
}

export declare enum AclOperationTypes {
  ALL = 2,
  ALTER = 7,
  ALTER_CONFIGS = 11,
  ANY = 1,
  CLUSTER_ACTION = 9,
  CREATE = 5,
  DELETE = 6,
  DESCRIBE = 8,
  DESCRIBE_CONFIGS = 10,
  IDEMPOTENT_WRITE = 12,
  READ = 3,
  UNKNOWN = 0,
  WRITE = 4,
}

export declare enum IsolationLevel {
  READ_UNCOMMITTED = 0,
  READ_COMMITTED = 1,
}

export declare enum logLevel {
  NOTHING = 0,
  ERROR = 1,
  WARN = 2,
  INFO = 3,
  DEBUG = 4,
}

export declare enum CompressionTypes {
  None = 'none',
  GZIP = 'gzip',
  SNAPPY = 'snappy',
  /** The name that Confluent's types have; its values have only `SNAPPY`. */
  // eslint-disable-next-line @typescript-eslint/no-duplicate-enum-values -- it is one value by two names
  Snappy = 'snappy',
  LZ4 = 'lz4',
  ZSTD = 'zstd',
}

export declare enum PartitionAssigners {
  roundRobin = 'roundrobin',
  range = 'range',
  cooperativeSticky = 'cooperative-sticky',
}
