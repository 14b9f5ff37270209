/** The phrases that lines about messages are made of. */
import { errorName } from '../generated/error-codes.ts'
import type { ClusterNames } from './names.ts'

const MOST_PARTS = 6

/** How the messages of an API are put into words: those after its name and version. Empty ones are left out. */
export interface Summary<Req, Res> {
  request(message: Req, names: ClusterNames): readonly string[]
  response(message: Res, names: ClusterNames): readonly string[]
}

/** The error's name; nothing for none. */
export function errorWords(code: number, text?: string | null): string {
  if (code === 0) return ''
  return text === null || text === undefined || text === '' ? errorName(code) : `${errorName(code)} "${text}"`
}

/** The first few, and how many more. */
export function few(parts: readonly string[], separator = ', '): string {
  if (parts.length <= MOST_PARTS) return parts.join(separator)
  return `${parts.slice(0, MOST_PARTS - 1).join(separator)}${separator}${parts.length - MOST_PARTS + 1} more`
}

interface Topic<P> {
  readonly name?: string | null | undefined
  readonly topic?: string | undefined
  readonly topicId?: string | undefined
  readonly partitions: readonly P[]
}

/** `orders[0] from 42, orders[1] from 7`. */
export function partitionWords<P>(
  topics: readonly Topic<P>[],
  names: ClusterNames,
  index: (partition: P) => number,
  words: (partition: P) => string,
): string {
  return few(
    topics.flatMap(topic =>
      topic.partitions.map(partition => {
        const text = words(partition)
        return `${names.topic(topic)}[${index(partition)}]${text === '' ? '' : ` ${text}`}`
      }),
    ),
  )
}

interface FetchAnswer<P> {
  readonly errorCode: number
  readonly errorMessage?: string | null
  readonly responses: readonly Topic<P>[]
}

/** What a fetch has brought: an error, nothing new, or something of each partition. */
export function fetchAnswerWords<P extends { readonly partitionIndex: number }>(
  { errorCode, errorMessage, responses }: FetchAnswer<P>,
  names: ClusterNames,
  words: (partition: P) => string,
): string[] {
  return [
    errorWords(errorCode, errorMessage),
    errorCode === 0 && responses.length === 0 ? 'nothing new' : '',
    partitionWords(responses, names, p => p.partitionIndex, words),
  ]
}

interface CommittedPartition {
  readonly partitionIndex: number
  readonly committedOffset: number
}

/** `orders[0] at 42`: what is to be committed. */
export function commitWords(topics: readonly Topic<CommittedPartition>[], names: ClusterNames): string {
  return partitionWords(
    topics,
    names,
    p => p.partitionIndex,
    p => `at ${p.committedOffset}`,
  )
}

interface AnsweredPartition {
  readonly partitionIndex: number
  readonly errorCode: number
  readonly errorMessage?: string | null
}

/** `orders[0], orders[1] ERR_UNKNOWN_MEMBER_ID`: partitions, with the errors of those that have one. */
export function outcomeWords(topics: readonly Topic<AnsweredPartition>[], names: ClusterNames): string {
  return partitionWords(
    topics,
    names,
    p => p.partitionIndex,
    p => errorWords(p.errorCode, p.errorMessage),
  )
}

/** `orders[0,1,2], payments[0]`. */
export function assignmentWords(topics: readonly Topic<number>[], names: ClusterNames): string {
  return few(topics.map(topic => `${names.topic(topic)}[${topic.partitions.join(',')}]`))
}

/** `producer 4000/3`; nothing without an id. */
export function producerWords(producerId: bigint, producerEpoch: number): string {
  return producerId < 0n ? '' : `producer ${producerId}/${producerEpoch}`
}

/** The id of a member, or that it has none yet. */
export function memberWords(memberId: string | null, instanceId?: string | null): string {
  const member = memberId === null || memberId === '' ? 'new member' : `member ${memberId}`
  return instanceId === null || instanceId === undefined ? member : `${member} (${instanceId})`
}
