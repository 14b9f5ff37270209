/** The entries of the journal. Later entries about the same thing replace earlier ones. */
import type { CommittedOffset } from '../groups/committed-offsets.ts'
import type { TopicPartition } from '../topics/topics.ts'
import type { TransactionFields } from '../transactions/transaction.ts'

export interface SavedTopic {
  readonly id: string
  readonly name: string
  readonly isInternal: boolean
  readonly configs: Readonly<Record<string, string>>
  readonly partitions: readonly { readonly replicas: readonly number[]; readonly leaderEpoch: number }[]
}

export interface SavedTransaction extends Omit<TransactionFields, 'partitions'> {
  readonly partitions: readonly TopicPartition[]
}

export type Entry =
  | { readonly kind: 'cluster'; readonly format: number; readonly id: string }
  /** Producer ids below this one may have been given out. */
  | { readonly kind: 'producer-ids'; readonly next: bigint }
  | { readonly kind: 'topic'; readonly topic: SavedTopic }
  | { readonly kind: 'topic-deleted'; readonly id: string }
  | {
      readonly kind: 'bounds'
      readonly id: string
      readonly partition: number
      readonly startOffset: number
      readonly nextOffset: number
    }
  /** offset: null if it was deleted. */
  | {
      readonly kind: 'offset'
      readonly group: string
      readonly key: string
      readonly offset: CommittedOffset | null
    }
  /** fields: null if the transactional id has expired. */
  | { readonly kind: 'transaction'; readonly id: string; readonly fields: SavedTransaction | null }
  | {
      readonly kind: 'pending-offset'
      readonly producerId: bigint
      readonly group: string
      readonly key: string
      readonly offset: CommittedOffset
    }
  /** The end of the transaction was applied to the offsets of the group. */
  | { readonly kind: 'pending-ended'; readonly producerId: bigint; readonly group: string }

/** Names of the fields with producer ids, anywhere in an entry. */
export const PRODUCER_ID_FIELDS: ReadonlySet<string> = new Set([
  'next',
  'producerId',
  'previousProducerId',
  'nextProducerId',
])

export const FORMAT = 1
