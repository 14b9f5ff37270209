import {
  OFFSET_BEGINNING,
  OFFSET_END,
  OFFSET_STORED,
  offsetTail,
  type Consumer,
  type TopicPartition,
  type TopicPartitionOffset,
} from 'ottla'
import { UsageError } from '../terminal/terminal.ts'

/** Where to begin, as given with `-o`. */
export type Start =
  { readonly kind: 'offset'; readonly offset: number } | { readonly kind: 'time'; readonly ms: number }

/** @throws UsageError */
export function parseOffset(text: string | undefined): Start | undefined {
  switch (text) {
    case undefined:
      return undefined
    case 'beginning':
    case 'earliest':
      return { kind: 'offset', offset: OFFSET_BEGINNING }
    case 'end':
    case 'latest':
      return { kind: 'offset', offset: OFFSET_END }
    case 'stored':
      return { kind: 'offset', offset: OFFSET_STORED }
    default: {
      const time = /^s@(\d+)$/.exec(text)?.[1]
      if (time !== undefined) return { kind: 'time', ms: Number(time) }
      const number = Number(text)
      if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(number)) {
        throw new UsageError(`-o ${text}: write beginning, end, stored, N, -N or s@MS`)
      }
      return { kind: 'offset', offset: number < 0 ? offsetTail(-number) : number }
    }
  }
}

/** The offset at which to begin each partition; a time is looked up. */
export async function startingPoints(
  consumer: Consumer,
  partitions: readonly TopicPartition[],
  start: Start | undefined,
): Promise<TopicPartitionOffset[]> {
  if (start?.kind !== 'time') {
    const offset = start?.offset ?? OFFSET_BEGINNING
    return partitions.map(p => ({ ...p, offset }))
  }
  const found = await consumer.offsetsForTimes(partitions.map(p => ({ ...p, offset: start.ms })))
  return found.map(({ topic, partition, offset, error }) => {
    if (error !== undefined) throw error
    return { topic, partition, offset: offset < 0 ? OFFSET_END : offset }
  })
}
