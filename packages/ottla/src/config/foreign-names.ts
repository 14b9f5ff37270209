/** Names of properties in other clients, and what to use here. */

const kafkajs = (here: string): string => `is KafkaJS's name; here it is ${here}`
const java = (here: string): string => `is the Java client's; here it is ${here}`
const javaHas = (here: string): string => `is the Java client's; here ${here}`
const runtime = 'Node.js, which has no such choice'

const ofKafkaJs: Readonly<Record<string, string>> = {
  brokers: kafkajs("'bootstrap.servers', a list or a string with commas"),
  clientId: kafkajs("'client.id'"),
  groupId: kafkajs("'group.id'"),
  groupInstanceId: kafkajs("'group.instance.id'"),
  transactionalId: kafkajs("'transactional.id'"),
  transactionTimeout: kafkajs("'transaction.timeout.ms'"),
  idempotent: kafkajs("'enable.idempotence'"),
  maxInFlightRequests: kafkajs("'max.in.flight'"),
  createPartitioner: kafkajs("the constructor's option 'partitioner', or the property 'partitioner'"),
  compression: kafkajs("'compression.type'"),
  timeout: kafkajs("'request.timeout.ms' (how long the brokers may wait for acknowledgements)"),
  allowAutoTopicCreation: kafkajs("'allow.auto.create.topics'"),
  metadataMaxAge: kafkajs("'topic.metadata.refresh.interval.ms'"),
  connectionTimeout: kafkajs("'socket.connection.setup.timeout.ms'"),
  authenticationTimeout: kafkajs("'socket.connection.setup.timeout.ms'"),
  reauthenticationThreshold: "is KafkaJS's name; here sessions are renewed before they end, by themselves",
  requestTimeout: kafkajs("'socket.timeout.ms'"),
  enforceRequestTimeout: "is KafkaJS's name; here 'socket.timeout.ms' always holds",
  sessionTimeout: kafkajs("'session.timeout.ms'"),
  rebalanceTimeout: kafkajs("'max.poll.interval.ms'"),
  heartbeatInterval: kafkajs("'heartbeat.interval.ms'"),
  maxBytesPerPartition: kafkajs("'fetch.message.max.bytes'"),
  minBytes: kafkajs("'fetch.min.bytes'"),
  maxBytes: kafkajs("'fetch.max.bytes'"),
  maxWaitTimeInMs: kafkajs("'fetch.wait.max.ms'"),
  readUncommitted: kafkajs("'isolation.level': 'read_uncommitted'"),
  rackId: kafkajs("'client.rack'"),
  partitionAssigners: kafkajs("'partition.assignment.strategy'"),
  partitionsConsumedConcurrently: kafkajs("the option 'concurrency' of run"),
  fromBeginning: kafkajs("'auto.offset.reset': 'earliest'"),
  autoCommit: kafkajs("'enable.auto.commit'"),
  autoCommitInterval: kafkajs("'auto.commit.interval.ms'"),
  autoCommitThreshold: "is KafkaJS's name; here stored offsets are committed every 'auto.commit.interval.ms'",
  eachMessage: kafkajs("the option 'handler' of run"),
  eachBatch: kafkajs('consumer.batches()'),
  topics: kafkajs('consumer.subscribe(topics)'),
  topic: kafkajs('consumer.subscribe(topics)'),
  logLevel: kafkajs("'log_level', or the constructor's option 'logger'"),
  logCreator: kafkajs("the constructor's option 'logger'"),
  retry: kafkajs("'retry.backoff.ms' and 'message.timeout.ms'"),
  initialRetryTime: kafkajs("'retry.backoff.ms'"),
  maxRetryTime: kafkajs("'retry.backoff.max.ms'"),
  ssl: kafkajs("'security.protocol': 'ssl' (or 'sasl_ssl'), with 'ssl.ca.location' and other 'ssl.*' properties"),
  sasl: kafkajs(
    "'security.protocol': 'sasl_ssl' (or 'sasl_plaintext'), 'sasl.mechanism', 'sasl.username' and 'sasl.password'",
  ),
  mechanism: kafkajs("'sasl.mechanism'"),
  username: kafkajs("'sasl.username'"),
  password: kafkajs("'sasl.password'"),
  oauthBearerProvider: kafkajs("the constructor's option 'oauthBearerToken'"),
  socketFactory: kafkajs("the constructor's option 'network'"),
  kafkaJS: 'does not exist here: properties are those of librdkafka',
}

const ofJava: Readonly<Record<string, string>> = {
  'key.serializer': java("the constructor's option 'key'"),
  'value.serializer': java("the constructor's option 'value'"),
  'key.deserializer': java("the constructor's option 'key'"),
  'value.deserializer': java("the constructor's option 'value'"),
  'partitioner.class': java("'partitioner'"),
  'partitioner.ignore.keys': java("'partitioner': 'random'"),
  'partitioner.adaptive.partitioning.enable': javaHas("partitions are chosen by 'partitioner' alone"),
  'partitioner.availability.timeout.ms': javaHas("partitions are chosen by 'partitioner' alone"),
  'interceptor.classes': java("the constructor's option 'interceptors'"),
  'buffer.memory': java("'queue.buffering.max.kbytes'"),
  'max.request.size': java("'message.max.bytes'"),
  'max.block.ms': javaHas('each call that waits takes a limit of its own'),
  'default.api.timeout.ms': javaHas('each call that waits takes a limit of its own'),
  'send.buffer.bytes': java("'socket.send.buffer.bytes'"),
  'receive.buffer.bytes': java("'socket.receive.buffer.bytes'"),
  'socket.connection.setup.timeout.max.ms': java("'socket.connection.setup.timeout.ms'"),
  'fetch.max.wait.ms': java("'fetch.wait.max.ms'"),
  'metadata.max.idle.ms': java("'topic.metadata.refresh.interval.ms'"),
  'exclude.internal.topics': java("'topic.blacklist'"),
  'group.instance.ids': "is 'group.instance.id' here",
  'compression.gzip.level': java("'compression.level'"),
  'compression.lz4.level': java("'compression.level'"),
  'compression.zstd.level': java("'compression.level'"),
  'transaction.two.phase.commit.enable': javaHas('transactions have one phase'),
  'sasl.jaas.config': java("'sasl.username' and 'sasl.password'"),
  'sasl.login.callback.handler.class': java("the constructor's option 'oauthBearerToken'"),
  'sasl.client.callback.handler.class': java("the constructor's option 'oauthBearerToken'"),
  'sasl.login.class': java("the constructor's option 'oauthBearerToken'"),
  'ssl.truststore.location': java("'ssl.ca.location'"),
  'ssl.truststore.certificates': java("'ssl.ca.pem'"),
  'ssl.truststore.password': javaHas("'ssl.ca.location' takes PEM, without a password"),
  'ssl.truststore.type': javaHas("'ssl.ca.location' takes PEM"),
  'ssl.keystore.type': javaHas("'ssl.keystore.location' takes PKCS#12"),
  'ssl.keystore.key': java("'ssl.key.pem'"),
  'ssl.keystore.certificate.chain': java("'ssl.certificate.pem'"),
  'ssl.enabled.protocols': javaHas('the versions of TLS are those of Node.js (--tls-min-v1.2, --tls-max-v1.3)'),
  'ssl.protocol': javaHas('the versions of TLS are those of Node.js (--tls-min-v1.2, --tls-max-v1.3)'),
  'ssl.provider': javaHas(`TLS is that of ${runtime}`),
  'ssl.secure.random.implementation': javaHas(`random numbers are those of ${runtime}`),
  'ssl.engine.factory.class': javaHas(`TLS is that of ${runtime}`),
  'metric.reporters': java("on('stats', listener), with 'statistics.interval.ms'"),
  'metrics.num.samples': java("on('stats', listener), with 'statistics.interval.ms'"),
  'metrics.sample.window.ms': java("'statistics.interval.ms'"),
  'metrics.recording.level': java("on('stats', listener), with 'statistics.interval.ms'"),
}

const ofOthers: Readonly<Record<string, string>> = {
  bootstrapServers: "is 'bootstrap.servers' here",
  bootstrapBrokers: "is 'bootstrap.servers' here",
  bootstrap_servers: "is 'bootstrap.servers' here",
  kafkaHost: "is 'bootstrap.servers' here",
  tls: "is 'security.protocol': 'ssl' (or 'sasl_ssl') here, with 'ssl.ca.location' and other 'ssl.*' properties",
  logger: "is an option of the constructor's second argument",
  partitioners: "is the constructor's option 'partitioner'",
}

const hints: Readonly<Record<string, string>> = { ...ofKafkaJs, ...ofJava, ...ofOthers }

/** The names that there is a hint for. */
export const foreignNames: readonly string[] = Object.keys(hints)

/** What to use instead of a property that only another client has. */
export function foreignHint(name: string): string | null {
  return Object.hasOwn(hints, name) ? (hints[name] ?? null) : null
}
