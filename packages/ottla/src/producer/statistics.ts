/** The content of a producer's `stats` events. */
import type { Cluster } from '../cluster/cluster.ts'
import type { ClientContext } from '../cluster/context.ts'
import { commonStatistics, ExtrasByBroker, plainPartition } from '../cluster/statistics.ts'
import type { ClientCounters } from '../observe/statistics/counters.ts'
import type { ReadWindow } from '../observe/statistics/window.ts'
import type { EosStatistics, PartitionStatistics, Statistics, TopicStatistics } from '../statistics.ts'
import type { PipelineIdentity } from './idempotence/identity.ts'
import type { Pipeline } from './pipeline.ts'
import { SEQUENCES } from './queue/batch.ts'
import type { PartitionQueue } from './queue/partition-queue.ts'
import type { TopicQueue } from './queue/topic-queue.ts'

interface InFlight {
  messages: number
  /** Number of the oldest message. */
  oldest: number
}

const NOTHING: InFlight = { messages: 0, oldest: Infinity }

/** A producer's statistics. @param read - starts new windows, or only looks */
export function producerStatistics(
  context: ClientContext,
  cluster: Cluster,
  pipeline: Pipeline,
  read: ReadWindow,
): Statistics {
  const { clock, counters, settings } = context
  const extras = new ExtrasByBroker()
  const inFlight = collectInFlight(pipeline, extras)
  const topics: Record<string, TopicStatistics> = {}
  for (const topic of pipeline.topics()) {
    topics[topic.name] = topicStatistics(topic, cluster, counters, extras, read, inFlight)
  }
  const { name, client_id, type, ts, time, age, ...rest } = commonStatistics(context, cluster, counters, extras, read)
  return {
    name,
    client_id,
    type,
    ts,
    time,
    age,
    replyq: 0,
    msg_cnt: pipeline.accumulator.messages,
    msg_size: pipeline.accumulator.bytes,
    msg_max: settings['queue.buffering.max.messages'],
    msg_size_max: settings['queue.buffering.max.kbytes'] * 1024,
    ...rest,
    topics,
    ...(pipeline.identity === null ? {} : { eos: eosStatistics(pipeline.identity, clock.now()) }),
  }
}

function collectInFlight(pipeline: Pipeline, extras: ExtrasByBroker): ReadonlyMap<PartitionQueue, InFlight> {
  const all = new Map<PartitionQueue, InFlight>()
  for (const { shipments } of pipeline.sender.requests()) {
    for (const { queue, batch } of shipments) {
      let known = all.get(queue)
      if (known === undefined) all.set(queue, (known = { ...NOTHING }))
      known.messages += batch.unreported
      known.oldest = Math.min(known.oldest, batch.baseMsgid)
      if (queue.inFlightTo >= 0) extras.of(queue.inFlightTo).messagesInFlight += batch.unreported
    }
  }
  return all
}

function topicStatistics(
  topic: TopicQueue,
  cluster: Cluster,
  counters: ClientCounters,
  extras: ExtrasByBroker,
  read: ReadWindow,
  inFlight: ReadonlyMap<PartitionQueue, InFlight>,
): TopicStatistics {
  const now = counters.clock.now()
  const counted = counters.topic(topic.name)
  const { snapshot } = cluster.metadata
  const updatedAt = snapshot.topics.get(topic.name)?.updatedAt
  const partitions: Record<string, PartitionStatistics> = {}
  for (const queue of topic.queues()) {
    const { partition, leader } = queue
    extras.add(topic.name, partition, leader)
    partitions[partition] = {
      ...plainPartition(snapshot, counters, topic.name, partition),
      ...queueStatistics(queue, inFlight.get(queue) ?? NOTHING),
    }
  }
  return {
    topic: topic.name,
    age: Math.floor(now - counted.since),
    metadata_age: updatedAt === undefined ? -1 : Math.floor(now - updatedAt),
    batchsize: read(counted.batchSize),
    batchcnt: read(counted.batchCount),
    partitions,
  }
}

function queueStatistics(queue: PartitionQueue, inFlight: InFlight): Partial<PartitionStatistics> {
  let messages = 0
  let bytes = 0
  let youngest = { count: 0, bytes: 0 }
  let oldest = inFlight.oldest
  for (const batch of queue.batches()) {
    messages += batch.unreported
    bytes += batch.queuedBytes
    youngest = { count: batch.unreported, bytes: batch.queuedBytes }
    oldest = Math.min(oldest, batch.baseMsgid)
  }
  // Only the last batch may be open; all others are ready to be sent.
  const isGrowing = queue.isGrowing
  const grown = isGrowing ? youngest : { count: 0, bytes: 0 }
  // Numbers start at 0 here, at 1 in librdkafka: the first unacknowledged number here is the last acknowledged one
  // there.
  const acked = Math.min(oldest, queue.nextMsgid)
  const sequence = queue.identity === null ? 0 : Math.max(0, acked - queue.baseMsgid) % SEQUENCES
  return {
    msgq_cnt: grown.count,
    msgq_bytes: grown.bytes,
    xmit_msgq_cnt: messages - grown.count,
    xmit_msgq_bytes: bytes - grown.bytes,
    msgs: queue.nextMsgid,
    msgs_inflight: inFlight.messages,
    next_ack_seq: sequence,
    next_err_seq: sequence,
    acked_msgid: acked,
  }
}

function eosStatistics(identity: PipelineIdentity, now: number): EosStatistics {
  const { state, since, grants, transaction } = identity.status
  return {
    idemp_state: state.name.charAt(0).toUpperCase() + state.name.slice(1),
    idemp_stateage: Math.floor(now - since),
    txn_state: transaction?.state ?? 'Init',
    txn_stateage: transaction === null ? 0 : Math.floor(now - transaction.since),
    txn_may_enq: transaction?.mayProduce ?? false,
    producer_id: isSafe(state.producerId) ? Number(state.producerId) : state.producerId,
    producer_epoch: state.producerEpoch,
    epoch_cnt: grants,
  }
}

function isSafe(id: bigint): boolean {
  return id >= Number.MIN_SAFE_INTEGER && id <= Number.MAX_SAFE_INTEGER
}
