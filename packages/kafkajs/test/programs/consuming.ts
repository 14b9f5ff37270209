/** A program written against kafkajs: consumers. Compiled against kafkajs and against the facade, never run. */
import {
  AssignerProtocol,
  Kafka,
  PartitionAssigners,
  type Assigner,
  type Assignment,
  type Batch,
  type Cluster,
  type Consumer,
  type ConsumerConfig,
  type ConsumerCrashEvent,
  type ConsumerGroupJoinEvent,
  type ConsumerRunConfig,
  type ConsumerSubscribeTopics,
  type EachBatchHandler,
  type EachBatchPayload,
  type EachMessageHandler,
  type EachMessagePayload,
  type GroupDescription,
  type GroupMember,
  type GroupMemberAssignment,
  type GroupState,
  type InstrumentationEvent,
  type KafkaMessage,
  type OffsetsByTopicPartition,
  type PartitionAssigner,
  type PartitionMetadata,
  type TopicPartitions,
} from 'kafkajs'

/** All partitions to the first member. */
const firstOnly: PartitionAssigner = ({
  cluster,
  groupId,
  logger,
}: {
  cluster: Cluster
  groupId: string
  logger: { info(text: string): void }
}): Assigner => ({
  name: 'FirstOnly',
  version: 1,
  async assign(group: { members: GroupMember[]; topics: string[] }): Promise<GroupMemberAssignment[]> {
    await cluster.refreshMetadataIfNecessary()
    logger.info(groupId)
    const assignment: Assignment = {}
    for (const topic of group.topics) {
      const metadata: PartitionMetadata[] = cluster.findTopicPartitionMetadata(topic)
      assignment[topic] = metadata.map(({ partitionId }) => partitionId)
    }
    return group.members.slice(0, 1).map(({ memberId, memberMetadata }) => {
      const decoded = AssignerProtocol.MemberMetadata.decode(memberMetadata)
      const userData = decoded?.userData ?? Buffer.alloc(0)
      return {
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({ version: 1, assignment, userData }),
      }
    })
  },
  protocol(subscription: { topics: string[] }): GroupState {
    return {
      name: 'FirstOnly',
      metadata: AssignerProtocol.MemberMetadata.encode({
        version: 1,
        topics: subscription.topics,
        userData: Buffer.from('rack'),
      }),
    }
  },
})

const config: ConsumerConfig = {
  groupId: 'group',
  partitionAssigners: [firstOnly, PartitionAssigners.roundRobin],
  metadataMaxAge: 300_000,
  sessionTimeout: 30_000,
  rebalanceTimeout: 60_000,
  heartbeatInterval: 3000,
  maxBytesPerPartition: 1_048_576,
  minBytes: 1,
  maxBytes: 10_485_760,
  maxWaitTimeInMs: 5000,
  retry: { retries: 3, restartOnFailure: () => Promise.resolve(true) },
  allowAutoTopicCreation: true,
  maxInFlightRequests: 4,
  readUncommitted: false,
  rackId: 'rack-1',
}

const eachMessage: EachMessageHandler = async ({ topic, partition, message, heartbeat, pause }: EachMessagePayload) => {
  const { key, value, offset, timestamp, attributes, headers }: KafkaMessage = message
  const first = headers?.['trace']
  const trace: string = Array.isArray(first) ? String(first[0]) : (first?.toString() ?? '')
  if (value === null || BigInt(offset) < 0n || attributes !== 0) return
  await heartbeat()
  const resume = pause()
  setTimeout(resume, Number(timestamp) - Date.now())
  handled.push(`${topic} ${partition} ${String(key)} ${trace} ${message.size ?? 0}`)
}

const eachBatch: EachBatchHandler = async (payload: EachBatchPayload) => {
  const batch: Batch = payload.batch
  const { resolveOffset, heartbeat, commitOffsetsIfNecessary, uncommittedOffsets, isRunning, isStale, pause } = payload
  if (batch.isEmpty() || batch.firstOffset() === null) return
  for (const message of batch.messages) {
    if (!isRunning() || isStale()) break
    resolveOffset(message.offset)
    await heartbeat()
    await commitOffsetsIfNecessary()
  }
  const offsets: OffsetsByTopicPartition = uncommittedOffsets()
  await commitOffsetsIfNecessary({ topics: offsets.topics })
  if (Number(batch.offsetLag()) > Number(batch.offsetLagLow())) pause()
  handled.push(`${batch.topic} ${batch.partition} ${batch.highWatermark} ${batch.lastOffset()}`)
}

const handled: string[] = []

function watched(consumer: Consumer): void {
  const { events } = consumer
  consumer.on(events.GROUP_JOIN, (event: ConsumerGroupJoinEvent) => {
    const { duration, groupId, groupProtocol, isLeader, leaderId, memberAssignment, memberId } = event.payload
    handled.push(
      String(duration),
      groupId,
      groupProtocol,
      String(isLeader),
      leaderId,
      memberId,
      ...Object.keys(memberAssignment),
    )
  })
  consumer.on(events.CRASH, ({ payload: { error, groupId, restart } }: ConsumerCrashEvent) => {
    handled.push(error.message, groupId, String(restart))
  })
  consumer.on(events.COMMIT_OFFSETS, ({ payload }) =>
    handled.push(payload.groupGenerationId.toFixed(), payload.topics[0]?.topic ?? ''),
  )
  consumer.on(events.HEARTBEAT, ({ payload }) => handled.push(payload.memberId, payload.groupGenerationId.toFixed()))
  consumer.on(events.FETCH_START, ({ payload }) => handled.push(payload.nodeId.toFixed()))
  consumer.on(events.FETCH, ({ payload }) =>
    handled.push(payload.numberOfBatches.toFixed(), payload.duration.toFixed()),
  )
  consumer.on(events.START_BATCH_PROCESS, ({ payload }) => handled.push(payload.highWatermark, payload.offsetLag))
  consumer.on(events.END_BATCH_PROCESS, ({ payload }) => handled.push(payload.duration.toFixed(), payload.offsetLagLow))
  consumer.on(events.REBALANCING, ({ payload }) => handled.push(payload.groupId, payload.memberId))
  consumer.on(events.RECEIVED_UNSUBSCRIBED_TOPICS, ({ payload }) =>
    handled.push(...payload.topicsNotSubscribed, ...payload.assignedTopics),
  )
  consumer.on(events.STOP, (event: InstrumentationEvent<unknown>) => handled.push(event.id, event.type))
  consumer.on(events.CONNECT, ({ payload }) => handled.push(String(payload)))
  for (const name of [events.DISCONNECT, events.REQUEST, events.REQUEST_TIMEOUT, events.REQUEST_QUEUE_SIZE]) {
    consumer.on(name, () => handled.push(name))
  }
}

async function main(): Promise<void> {
  const consumer: Consumer = new Kafka({ brokers: ['127.0.0.1:9092'] }).consumer(config)
  watched(consumer)
  await consumer.connect()
  const topics: ConsumerSubscribeTopics = { topics: ['a', /^b-/], fromBeginning: true }
  await consumer.subscribe(topics)
  await consumer.subscribe({ topic: 'c' })
  const options: ConsumerRunConfig = {
    autoCommit: true,
    autoCommitInterval: 5000,
    autoCommitThreshold: null,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: 3,
    eachMessage,
  }
  await consumer.run(options)
  await consumer.run({ eachBatch })
  consumer.seek({ topic: 'a', partition: 0, offset: '12' })
  consumer.pause([{ topic: 'a' }, { topic: 'b-1', partitions: [0] }])
  const paused: TopicPartitions[] = consumer.paused()
  consumer.resume(paused)
  await consumer.commitOffsets([
    { topic: 'a', partition: 0, offset: '13', metadata: 'x' },
    { topic: 'a', partition: 1, offset: '1' },
  ])
  const { groupId, members, protocol, protocolType, state }: GroupDescription = await consumer.describeGroup()
  handled.push(
    groupId,
    protocol,
    protocolType,
    state,
    ...members.map(({ clientHost, clientId }) => clientHost + clientId),
  )
  consumer.logger().namespace('own').setLogLevel(1)
  await consumer.stop()
  await consumer.disconnect()
}

export const program = { main }
