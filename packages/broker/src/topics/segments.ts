/** Where the segments of a log would be. Logs here have none, but only whole ones are deleted or compacted. */
import type { StoredBatch } from '../log/stored-batch.ts'
import type { Topic, TopicStore } from './topics.ts'

export interface SegmentRules {
  readonly segmentBytes: number
  readonly segmentMs: number
}

export interface Segment {
  /** Index after that of its last batch. */
  readonly end: number
  readonly bytes: number
  readonly maxTimestamp: number
}

export function segmentRules(topics: TopicStore, topic: Topic): SegmentRules {
  return {
    segmentBytes: Number(topics.config(topic, 'segment.bytes')),
    segmentMs: Number(topics.config(topic, 'segment.ms')),
  }
}

/** The segment that begins with a batch. @param start the batch's index */
export function segmentFrom(
  batches: readonly StoredBatch[],
  start: number,
  { segmentBytes, segmentMs }: SegmentRules,
): Segment {
  let bytes = 0
  let maxTimestamp = -Infinity
  const since = batches[start]?.maxTimestamp ?? 0
  let end = start
  for (; end < batches.length; end++) {
    const batch = batches[end] as StoredBatch // end is below the length
    const isFull = bytes + batch.bytes.length > segmentBytes || batch.maxTimestamp - since > segmentMs
    if (end > start && isFull) break
    bytes += batch.bytes.length
    maxTimestamp = Math.max(maxTimestamp, batch.maxTimestamp)
  }
  return { end, bytes, maxTimestamp }
}

/** The first offset of the last segment, which is still written to; 0 for an empty log. */
export function activeSegment(batches: readonly StoredBatch[], rules: SegmentRules): number {
  let start = 0
  for (let next = 0; next < batches.length; next = segmentFrom(batches, next, rules).end) start = next
  return batches[start]?.baseOffset ?? 0
}
