/** Messages in words: what a reader of a recording has to know, and never what records or tokens hold. */
import type { OpaqueFrame, WireMessage } from './conversation.ts'
import { dataSummaries } from './data-summaries.ts'
import { groupSummaries } from './group-summaries.ts'
import type { ClusterNames } from './names.ts'
import { otherWords } from './other-words.ts'
import type { Summary } from './phrases.ts'
import { shareSummaries } from './share-summaries.ts'
import { transactionSummaries } from './transaction-summaries.ts'

// An API's own summary gets the message of that API.
let summaries: Map<number, Summary<unknown, unknown>> | null = null

/**
 * A message's API and version, and the words about it: `['Produce v11', 'acks=-1', 'orders[0] 3 records seq 5..7']`.
 * The cluster's names come from the messages before it (see {@link ClusterNames.learn}).
 * @since 0.1.0
 */
export function messageWords(message: WireMessage | OpaqueFrame, names: ClusterNames): string[] {
  if (message.api === null) return ['?', `${message.sizeBytes} bytes that are not a ${message.kind}: ${message.why}`]
  summaries ??= new Map([...dataSummaries, ...groupSummaries, ...shareSummaries, ...transactionSummaries] as [
    number,
    Summary<unknown, unknown>,
  ][])
  const summary = summaries.get(message.api.key)
  const words = summary === undefined ? otherWords(message.body) : summary[message.kind](message.body, names)
  return [`${message.api.name} v${message.version}`, ...words.filter(word => word !== '')]
}
