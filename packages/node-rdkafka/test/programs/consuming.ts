/** A program written against node-rdkafka's declarations of consumers and the admin client: it compiles against ours, and is never run. */
/* eslint-disable @typescript-eslint/no-unsafe-member-access -- node-rdkafka's own types */
import * as Kafka from '@ottla/node-rdkafka'
import {
  AdminClient,
  CODES,
  KafkaConsumer,
  type Assignment,
  type ConsumerGlobalConfig,
  type IAdminClient,
  type LibrdKafkaError,
  type Message,
  type TopicPartition,
} from '@ottla/node-rdkafka'

const conf: ConsumerGlobalConfig = {
  'group.id': 'group',
  'metadata.broker.list': 'localhost:9092',
  'enable.auto.commit': false,
  'enable.partition.eof': true,
  'partition.assignment.strategy': 'cooperative-sticky',
  'isolation.level': 'read_committed',
  rebalance_cb: function (this: KafkaConsumer, err: LibrdKafkaError, assignment: Assignment[]) {
    if (err.code === CODES.ERRORS.ERR__ASSIGN_PARTITIONS) this.assign(assignment)
    else if (err.code === CODES.ERRORS.ERR__REVOKE_PARTITIONS) this.unassign()
  },
  offset_commit_cb: (err: LibrdKafkaError, topicPartitions: TopicPartition[]) => console.log(err, topicPartitions),
}

const consumer: KafkaConsumer = new Kafka.KafkaConsumer(conf, { 'auto.offset.reset': 'earliest' })
consumer
  .on('ready', () => {
    consumer.subscribe(['topic', /^pattern.*/])
    consumer.consume()
  })
  .on('data', (message: Message) => {
    console.log(message.value?.toString(), message.key?.toString(), message.headers?.[0]?.['name'], message.size)
    consumer.commitMessage(message).commitMessageSync(message).commit(message).commitSync(message)
  })
  .on('partition.eof', end => console.log(end.topic, end.partition, end.offset))
  .on('rebalance', (err, assignments) => console.log(err.code, assignments[0]?.partition))
  .on('rebalance.error', err => console.error(err.stack))
  .on('offset.commit', (err, offsets) => console.log(err, offsets[0]?.offset))
  .on('subscribed', topics => console.log(topics.length))
  .on('unsubscribed', () => console.log('unsubscribed'))
  .once('unsubscribe', () => console.log('unsubscribe'))
  .on('event.throttle', event => console.log(event.throttleTime))
consumer.connect()

consumer.assign([
  { topic: 'topic', partition: 0 },
  { topic: 'topic', partition: 1, offset: 7 },
])
consumer
  .incrementalAssign(consumer.assignments())
  .incrementalUnassign([{ topic: 'topic', partition: 0 }])
  .unassign()
consumer.commit()
consumer.commit([{ topic: 'topic', partition: 0, offset: 1 }]).commitSync(null)
consumer.committed([{ topic: 'topic', partition: 0 }], 1000, (err, offsets) => console.log(err, offsets[0]?.offset))
consumer.committed(1000, (err, offsets) => console.log(err, offsets))
consumer.consume(10, (err: LibrdKafkaError, messages: Message[]) => console.log(err, messages.length))
consumer.consume((err, messages) => console.log(err, messages))
consumer.consume(1)
consumer.offsetsStore([{ topic: 'topic', partition: 0, offset: 1 }])
consumer.pause([{ topic: 'topic', partition: 0 }])
consumer.resume([{ topic: 'topic', partition: 0 }])
consumer.seek({ topic: 'topic', partition: 0, offset: 1 }, null, err => console.log(err))
consumer.setDefaultConsumeTimeout(10)
consumer.setDefaultConsumeLoopTimeoutDelay(10)
consumer.offsetsForTimes([{ topic: 'topic', partition: 0, offset: Date.now() }], 1000, (err, offsets) =>
  console.log(err, offsets.length),
)
consumer.offsetsForTimes([{ topic: 'topic', partition: 0, offset: Date.now() }], (err, offsets) =>
  console.log(err, offsets),
)
const { lowOffset, highOffset }: Kafka.WatermarkOffsets = consumer.getWatermarkOffsets('topic', 0)
console.log(
  lowOffset,
  highOffset,
  consumer.position()[0]?.offset,
  consumer.subscription(),
  consumer.rebalanceProtocol(),
)
consumer.unsubscribe()
consumer.disconnect((err, data) => console.log(err, data.connectionOpened))

const stream: Kafka.ConsumerStream = KafkaConsumer.createReadStream(
  conf,
  {},
  {
    topics: ['topic'],
    waitInterval: 10,
    fetchSize: 100,
    streamAsBatch: true,
    objectMode: true,
    highWaterMark: 10,
    autoClose: true,
    connectOptions: { timeout: 1000 },
  },
)
stream.on('data', (message: Message) => console.log(message.offset))
stream.consumer.commit()
stream.refreshOauthBearerToken('token')
stream.close(() => console.log('closed'))
Kafka.createReadStream(conf, {}, { topics: metadata => metadata.topics.map(({ name }) => name) }).pipe(process.stdout)

const admin: IAdminClient = AdminClient.create({ 'metadata.broker.list': 'localhost:9092' }, 'token')
admin.createTopic({ topic: 'topic', num_partitions: 1, replication_factor: 1, config: { 'cleanup.policy': 'compact' } })
admin.createTopic({ topic: 'topic', num_partitions: 1, replication_factor: 1 }, 1000, err => console.log(err))
admin.deleteTopic('topic', err => console.log(err.message))
admin.createPartitions('topic', 3, 1000, err => console.log(err.code))
admin.refreshOauthBearerToken('token')
admin.disconnect()

console.log(Kafka.features.join(), Kafka.librdkafkaVersion, CODES.ERRORS.ERR__QUEUE_FULL)
