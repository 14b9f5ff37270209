/** Summaries of the requests that open a connection, find brokers, and write and read messages. */
import { ApiVersions, type ApiVersionsRequest, type ApiVersionsResponse } from '../generated/api-versions.ts'
import { Fetch, type FetchRequest, type FetchResponse } from '../generated/fetch.ts'
import {
  FindCoordinator,
  type FindCoordinatorRequest,
  type FindCoordinatorResponse,
} from '../generated/find-coordinator.ts'
import { ListOffsets, type ListOffsetsRequest, type ListOffsetsResponse } from '../generated/list-offsets.ts'
import { Metadata, type MetadataRequest, type MetadataResponse } from '../generated/metadata.ts'
import {
  OffsetForLeaderEpoch,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
} from '../generated/offset-for-leader-epoch.ts'
import { Produce, type ProduceRequest, type ProduceResponse } from '../generated/produce.ts'
import {
  SaslAuthenticate,
  type SaslAuthenticateRequest,
  type SaslAuthenticateResponse,
} from '../generated/sasl-authenticate.ts'
import { SaslHandshake, type SaslHandshakeRequest, type SaslHandshakeResponse } from '../generated/sasl-handshake.ts'
import type { Decoded } from '../api.ts'
import { fetchedWords, producedWords } from './batch-words.ts'
import { errorWords, fetchAnswerWords, few, partitionWords, type Summary } from './phrases.ts'

const EARLIEST = -2
const LATEST = -1
const keyTypes = ['group', 'transaction', 'share']

const apiVersions: Summary<Decoded<ApiVersionsRequest>, Decoded<ApiVersionsResponse>> = {
  request: m => [`${m.clientSoftwareName} ${m.clientSoftwareVersion}`.trim()],
  response: m => [
    errorWords(m.errorCode),
    `${m.apiKeys.length} APIs`,
    m.finalizedFeatures.length === 0 ? '' : `${m.finalizedFeatures.length} features`,
  ],
}

const saslHandshake: Summary<Decoded<SaslHandshakeRequest>, Decoded<SaslHandshakeResponse>> = {
  request: m => [m.mechanism],
  response: m => [errorWords(m.errorCode), `offers ${m.mechanisms.join(', ')}`],
}

// The tokens are credentials: not even their sizes are told.
const saslAuthenticate: Summary<Decoded<SaslAuthenticateRequest>, Decoded<SaslAuthenticateResponse>> = {
  request: () => ['(masked)'],
  response: m => [
    m.errorCode === 0 ? '(masked)' : errorWords(m.errorCode, m.errorMessage),
    m.sessionLifetimeMs > 0 ? `session ${m.sessionLifetimeMs} ms` : '',
  ],
}

const metadata: Summary<Decoded<MetadataRequest>, Decoded<MetadataResponse>> = {
  request: (m, names) => [
    m.topics === null ? 'all topics' : m.topics.length === 0 ? 'no topics' : few(m.topics.map(t => names.topic(t))),
  ],
  response: (m, names) => [
    errorWords(m.errorCode),
    few(
      m.brokers.map(({ nodeId, host, port }) => `${nodeId}=${host}:${port}`),
      ' ',
    ),
    m.controllerId < 0 ? '' : `controller ${m.controllerId}`,
    few(
      m.topics.map(topic => {
        const leaders = topic.partitions.map(p => (p.errorCode === 0 ? `${p.leaderId}` : errorWords(p.errorCode)))
        const error = errorWords(topic.errorCode)
        return error === '' ? `${names.topic(topic)} led by ${few(leaders, ' ')}` : `${names.topic(topic)} ${error}`
      }),
    ),
  ],
}

const findCoordinator: Summary<Decoded<FindCoordinatorRequest>, Decoded<FindCoordinatorResponse>> = {
  request: m => {
    const keys = m.coordinatorKeys.length > 0 ? m.coordinatorKeys : [m.key]
    return [`of ${keyTypes[m.keyType] ?? `type ${m.keyType}`} ${few(keys)}`]
  },
  response: m => {
    const all = m.coordinators.length > 0 ? m.coordinators : [{ ...m, key: '' }]
    return [
      few(
        all.map(({ key, nodeId, host, port, errorCode, errorMessage }) => {
          const where = errorCode === 0 ? `broker ${nodeId} ${host}:${port}` : errorWords(errorCode, errorMessage)
          return key === '' ? where : `${key}: ${where}`
        }),
      ),
    ]
  },
}

const produce: Summary<Decoded<ProduceRequest>, Decoded<ProduceResponse>> = {
  request: (m, names) => [
    `acks=${m.acks}`,
    m.transactionalId === null ? '' : `transaction ${m.transactionalId}`,
    partitionWords(
      m.topicData.map(topic => ({ ...topic, partitions: topic.partitionData })),
      names,
      p => p.index,
      p => producedWords(p.records),
    ),
  ],
  response: (m, names) => [
    partitionWords(
      m.responses.map(topic => ({ ...topic, partitions: topic.partitionResponses })),
      names,
      p => p.index,
      p => (p.errorCode === 0 ? `offset ${p.baseOffset}` : errorWords(p.errorCode, p.errorMessage)),
    ),
    throttled(m.throttleTimeMs),
  ],
}

const fetch: Summary<Decoded<FetchRequest>, Decoded<FetchResponse>> = {
  request: (m, names) => [
    sessionWords(m.sessionId, m.sessionEpoch),
    m.topics.length === 0
      ? 'as before'
      : partitionWords(
          m.topics,
          names,
          p => p.partition,
          p => `from ${p.fetchOffset}`,
        ),
    m.forgottenTopicsData.length === 0 ? '' : `no more ${few(m.forgottenTopicsData.map(t => names.topic(t)))}`,
    `waits ${m.maxWaitMs} ms`,
  ],
  response: (m, names) => [
    m.sessionId > 0 ? `session ${m.sessionId}` : '',
    ...fetchAnswerWords(m, names, p => {
      if (p.errorCode !== 0) return errorWords(p.errorCode)
      const records = fetchedWords(p.records)
      return `${records === '' ? 'nothing' : records}, high watermark ${p.highWatermark}`
    }),
    throttled(m.throttleTimeMs),
  ],
}

const listOffsets: Summary<Decoded<ListOffsetsRequest>, Decoded<ListOffsetsResponse>> = {
  request: (m, names) => [
    partitionWords(
      m.topics,
      names,
      p => p.partitionIndex,
      p => (p.timestamp === EARLIEST ? 'earliest' : p.timestamp === LATEST ? 'latest' : `at ${p.timestamp}`),
    ),
  ],
  response: (m, names) => [
    partitionWords(
      m.topics,
      names,
      p => p.partitionIndex,
      p => (p.errorCode === 0 ? `offset ${p.offset}` : errorWords(p.errorCode)),
    ),
  ],
}

const offsetForLeaderEpoch: Summary<Decoded<OffsetForLeaderEpochRequest>, Decoded<OffsetForLeaderEpochResponse>> = {
  request: (m, names) => [
    partitionWords(
      m.topics,
      names,
      p => p.partition,
      p => `epoch ${p.leaderEpoch}`,
    ),
  ],
  response: (m, names) => [
    partitionWords(
      m.topics,
      names,
      p => p.partition,
      p => (p.errorCode === 0 ? `epoch ${p.leaderEpoch} ends at ${p.endOffset}` : errorWords(p.errorCode)),
    ),
  ],
}

function throttled(ms: number): string {
  return ms > 0 ? `throttled ${ms} ms` : ''
}

function sessionWords(id: number, epoch: number): string {
  if (epoch < 0) return 'without a session'
  return epoch === 0 ? 'new session' : `session ${id}/${epoch}`
}

export const dataSummaries: readonly (readonly [number, Summary<never, never>])[] = [
  [ApiVersions.key, apiVersions],
  [SaslHandshake.key, saslHandshake],
  [SaslAuthenticate.key, saslAuthenticate],
  [Metadata.key, metadata],
  [FindCoordinator.key, findCoordinator],
  [Produce.key, produce],
  [Fetch.key, fetch],
  [ListOffsets.key, listOffsets],
  [OffsetForLeaderEpoch.key, offsetForLeaderEpoch],
]
