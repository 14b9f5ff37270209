import type { TopicPartition } from 'ottla'

const LAST_DATE = 8.64e15

/** As people read it; an empty cell where there is none. */
export function shownTime(time: number | null): string {
  if (time === null || time < 0) return ''
  // Beyond what a calendar holds it is not in milliseconds.
  return time > LAST_DATE ? String(time) : new Date(time).toISOString()
}

/** For sorting by topic and partition. */
export function inOrder(a: TopicPartition, b: TopicPartition): number {
  return a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1
}
