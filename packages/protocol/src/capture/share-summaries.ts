/** Summaries of the requests in which share consumers acquire and acknowledge records. */
import type { Decoded } from '../api.ts'
import {
  ShareAcknowledge,
  type ShareAcknowledgeRequest,
  type ShareAcknowledgeResponse,
} from '../generated/share-acknowledge.ts'
import { ShareFetch, type ShareFetchRequest, type ShareFetchResponse } from '../generated/share-fetch.ts'
import { range } from './batch-words.ts'
import {
  errorWords,
  fetchAnswerWords,
  few,
  memberWords,
  outcomeWords,
  partitionWords,
  type Summary,
} from './phrases.ts'

interface AcknowledgedPartition {
  readonly partitionIndex: number
  readonly acknowledgementBatches: readonly {
    readonly firstOffset: number
    readonly lastOffset: number
    readonly acknowledgeTypes: readonly number[]
  }[]
}

const acknowledgeTypes = ['gap', 'accept', 'release', 'reject', 'renew']

function acknowledgedWords(partition: AcknowledgedPartition): string {
  return few(
    partition.acknowledgementBatches.map(batch => {
      const types = [...new Set(batch.acknowledgeTypes)].map(type => acknowledgeTypes[type] ?? `type ${type}`)
      return `${types.join('/')} ${range(batch.firstOffset, batch.lastOffset)}`
    }),
    ' ',
  )
}

function shareMemberWords(m: Decoded<ShareAcknowledgeRequest>): string[] {
  const session = m.shareSessionEpoch === 0 ? 'new session' : `session epoch ${m.shareSessionEpoch}`
  return [`group ${m.groupId ?? ''}`, memberWords(m.memberId), m.shareSessionEpoch < 0 ? 'ends its session' : session]
}

const shareFetch: Summary<Decoded<ShareFetchRequest>, Decoded<ShareFetchResponse>> = {
  request: (m, names) => [
    ...shareMemberWords(m),
    m.topics.length === 0 ? 'as before' : partitionWords(m.topics, names, p => p.partitionIndex, acknowledgedWords),
    `waits ${m.maxWaitMs} ms`,
  ],
  response: (m, names) =>
    fetchAnswerWords(m, names, p => {
      const refused = p.acknowledgeErrorCode === 0 ? '' : ` acknowledgement ${errorWords(p.acknowledgeErrorCode)}`
      if (p.errorCode !== 0) return `${errorWords(p.errorCode, p.errorMessage)}${refused}`
      const acquired = p.acquiredRecords.map(each => range(each.firstOffset, each.lastOffset))
      return `${acquired.length === 0 ? 'nothing' : `acquired ${few(acquired, ' ')}`}${refused}`
    }),
}

const shareAcknowledge: Summary<Decoded<ShareAcknowledgeRequest>, Decoded<ShareAcknowledgeResponse>> = {
  request: (m, names) => [
    ...shareMemberWords(m),
    partitionWords(m.topics, names, p => p.partitionIndex, acknowledgedWords),
  ],
  response: (m, names) => [errorWords(m.errorCode, m.errorMessage), outcomeWords(m.responses, names)],
}

export const shareSummaries: readonly (readonly [number, Summary<never, never>])[] = [
  [ShareFetch.key, shareFetch],
  [ShareAcknowledge.key, shareAcknowledge],
]
