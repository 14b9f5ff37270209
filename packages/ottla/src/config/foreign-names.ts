/** Names of properties in other clients, and what to use here. */

const kafkajs = (here: string): string => `is KafkaJS's name; here it is ${here}`
const java = (here: string): string => `is the Java client's; here ${here}`

const hints: Readonly<Record<string, string>> = {
  brokers: kafkajs("'bootstrap.servers', a list or a string with commas"),
  bootstrapServers: "is 'bootstrap.servers' here",
  bootstrapBrokers: "is 'bootstrap.servers' here",
  bootstrap_servers: "is 'bootstrap.servers' here",
  kafkaHost: "is 'bootstrap.servers' here",
  clientId: kafkajs("'client.id'"),
  groupId: kafkajs("'group.id'"),
  transactionalId: kafkajs("'transactional.id'"),
  idempotent: kafkajs("'enable.idempotence'"),
  maxInFlightRequests: kafkajs("'max.in.flight'"),
  createPartitioner: kafkajs("the constructor's option 'partitioner', or the property 'partitioner'"),
  allowAutoTopicCreation: kafkajs("'allow.auto.create.topics'"),
  transactionTimeout: kafkajs("'transaction.timeout.ms'"),
  metadataMaxAge: kafkajs("'topic.metadata.refresh.interval.ms'"),
  connectionTimeout: kafkajs("'socket.connection.setup.timeout.ms'"),
  authenticationTimeout: kafkajs("'socket.connection.setup.timeout.ms'"),
  requestTimeout: kafkajs("'socket.timeout.ms'"),
  sessionTimeout: kafkajs("'session.timeout.ms'"),
  rebalanceTimeout: kafkajs("'max.poll.interval.ms'"),
  heartbeatInterval: kafkajs("'heartbeat.interval.ms'"),
  maxBytesPerPartition: kafkajs("'fetch.message.max.bytes'"),
  minBytes: kafkajs("'fetch.min.bytes'"),
  maxBytes: kafkajs("'fetch.max.bytes'"),
  maxWaitTimeInMs: kafkajs("'fetch.wait.max.ms'"),
  readUncommitted: kafkajs("'isolation.level'"),
  rackId: kafkajs("'client.rack'"),
  partitionAssigners: kafkajs("'partition.assignment.strategy'"),
  fromBeginning: kafkajs("'auto.offset.reset': 'earliest'"),
  autoCommit: kafkajs("'enable.auto.commit'"),
  autoCommitInterval: kafkajs("'auto.commit.interval.ms'"),
  logLevel: kafkajs("'log_level', or the constructor's option 'logger'"),
  logCreator: kafkajs("the constructor's option 'logger'"),
  retry: kafkajs("'retry.backoff.ms' and 'message.timeout.ms'"),
  ssl: kafkajs("'security.protocol': 'ssl' (or 'sasl_ssl'), with 'ssl.ca.location' and other 'ssl.*' properties"),
  tls: "is 'security.protocol': 'ssl' (or 'sasl_ssl') here, with 'ssl.ca.location' and other 'ssl.*' properties",
  sasl: kafkajs(
    "'security.protocol': 'sasl_ssl' (or 'sasl_plaintext'), 'sasl.mechanism', 'sasl.username' and 'sasl.password'",
  ),
  kafkaJS: 'does not exist here: properties are those of librdkafka',
  logger: "is an option of the constructor's second argument",
  partitioners: "is the constructor's option 'partitioner'",
  'key.serializer': java("the constructor's option 'key'"),
  'value.serializer': java("the constructor's option 'value'"),
  'key.deserializer': java("the constructor's option 'key'"),
  'value.deserializer': java("the constructor's option 'value'"),
  'partitioner.class': java("'partitioner'"),
  'interceptor.classes': java("the constructor's option 'interceptors'"),
  'buffer.memory': java("'queue.buffering.max.kbytes'"),
  'max.block.ms': java('each call that waits takes a limit of its own'),
  'default.api.timeout.ms': java('each call that waits takes a limit of its own'),
  'fetch.max.wait.ms': java("'fetch.wait.max.ms'"),
  'metadata.max.idle.ms': java("'topic.metadata.refresh.interval.ms'"),
  'group.instance.ids': "is 'group.instance.id' here",
  'sasl.jaas.config': java("'sasl.username' and 'sasl.password'"),
  'ssl.truststore.location': java("'ssl.ca.location'"),
  'ssl.truststore.password': java("'ssl.ca.location' takes PEM, without a password"),
}

/** What to use instead of a property that only another client has. */
export function foreignHint(name: string): string | null {
  return Object.hasOwn(hints, name) ? (hints[name] ?? null) : null
}
