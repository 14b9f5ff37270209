import type { TopicPartition } from 'ottla'

/** The largest time that a Date can hold. */
const LAST_DATE_MS = 8.64e15

/** A time as a table cell; empty if there is none. */
export function timeText(time: number | null): string {
  if (time === null || time < 0) return ''
  // A larger time is not in milliseconds.
  return time > LAST_DATE_MS ? String(time) : new Date(time).toISOString()
}

/** Sorts by topic and partition. */
export function byTopicAndPartition(a: TopicPartition, b: TopicPartition): number {
  return a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1
}
