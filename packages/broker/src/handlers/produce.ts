/** Writing: Produce and InitProducerId. */
import {
  ErrorCode,
  InitProducerIdServer,
  ProduceServer,
  type Decoded,
  type ProduceRequest,
  type ProduceResponse,
  type ProduceResponsePartitionProduceResponse,
} from '@ottla/protocol'
import { CLUSTER_NAME } from '../acls.ts'
import { CloseConnection, route, type RequestContext, type Route } from '../request.ts'
import type { Topic } from '../topics.ts'

export const produceRoutes: readonly Route[] = [
  route(ProduceServer, produce),
  route(InitProducerIdServer, ({ transactionalId }, { state, session }) => {
    const refused = (errorCode: number): { throttleTimeMs: number; errorCode: number; producerEpoch: number } => ({
      throttleTimeMs: 0,
      errorCode,
      producerEpoch: -1,
    })
    if (transactionalId !== null) return refused(ErrorCode.ERR_UNSUPPORTED_VERSION)
    const { principal, host } = session
    const allowed =
      state.authorizer.allows(principal, host, 'idempotent-write', 'cluster', CLUSTER_NAME) ||
      state.authorizer.allowsOnAny(principal, host, 'write', 'topic')
    if (!allowed) return refused(ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED)
    return { throttleTimeMs: 0, errorCode: 0, producerId: state.nextProducerId(), producerEpoch: 0 }
  }),
]

function produce(request: Decoded<ProduceRequest>, context: RequestContext): ProduceResponse | null {
  const { state } = context
  const moved = new Set<number>()
  const responses = request.topicData.map(data => {
    const topic = context.version >= 13 ? state.topics.byId(data.topicId) : state.topics.get(data.name)
    const name = context.version >= 13 ? (topic?.name ?? '') : data.name
    const partitionResponses = data.partitionData.map(({ index, records }) => {
      const result = append(topic, name, index, records, request.acks, context)
      const leader = result.currentLeader?.leaderId
      if (leader !== undefined) moved.add(leader)
      return result
    })
    return context.version >= 13 ? { topicId: data.topicId, partitionResponses } : { name, partitionResponses }
  })
  if (request.acks === 0) {
    // Nobody waits for an answer: hanging up is how a broker says that something went wrong.
    const failed = responses.some(topic =>
      topic.partitionResponses.some(partition => partition.errorCode !== ErrorCode.ERR_NO_ERROR),
    )
    if (failed) throw new CloseConnection('a produce request without acknowledgement failed')
    return null
  }
  const nodeEndpoints = state.brokers
    .filter(broker => moved.has(broker.id))
    .map(({ id, host, port, rack }) => ({ nodeId: id, host, port, rack }))
  return {
    responses,
    throttleTimeMs: 0,
    ...(context.version >= 10 && nodeEndpoints.length > 0 ? { nodeEndpoints } : {}),
  }
}

function append(
  topic: Topic | undefined,
  name: string,
  index: number,
  records: Buffer | null,
  acks: number,
  context: RequestContext,
): ProduceResponsePartitionProduceResponse {
  const { state, version, brokerId } = context
  const fail = (errorCode: number, message: string | null = null): ProduceResponsePartitionProduceResponse => ({
    index,
    errorCode,
    baseOffset: -1,
    ...(version >= 8 ? { errorMessage: message } : {}),
  })
  if (topic === undefined && version >= 13) return fail(ErrorCode.ERR_UNKNOWN_TOPIC_ID)
  if (!context.allows('write', 'topic', name)) return fail(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  if (acks < -1 || acks > 1) return fail(ErrorCode.ERR_INVALID_REQUIRED_ACKS)
  const partition = topic?.partitions[index]
  const problem = state.checkLeader(partition, brokerId, -1)
  if (topic === undefined || partition === undefined) return fail(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  if (problem !== ErrorCode.ERR_NO_ERROR) {
    const { leader, leaderEpoch } = partition
    return { ...fail(problem), ...(version >= 10 ? { currentLeader: { leaderId: leader, leaderEpoch } } : {}) }
  }
  if (topic.isInternal) return fail(ErrorCode.ERR_TOPIC_EXCEPTION, 'Clients do not write to internal topics.')
  const minInSync = Number(state.topics.config(topic, 'min.insync.replicas'))
  if (acks === -1 && partition.isr.length < minInSync) return fail(ErrorCode.ERR_NOT_ENOUGH_REPLICAS)
  const result = partition.log.append(records, {
    leaderEpoch: partition.leaderEpoch,
    maxMessageBytes: Number(state.topics.config(topic, 'max.message.bytes')),
    logAppendTime: state.topics.config(topic, 'message.timestamp.type') === 'LogAppendTime' ? state.clock.now() : null,
    needsKeys: state.topics.config(topic, 'cleanup.policy').includes('compact'),
  })
  if (!('baseOffset' in result)) return fail(result.errorCode, result.message)
  return {
    index,
    errorCode: ErrorCode.ERR_NO_ERROR,
    baseOffset: result.baseOffset,
    logAppendTimeMs: result.logAppendTime,
    ...(version >= 5 ? { logStartOffset: result.logStartOffset } : {}),
  }
}
