/** What a program has paused: whole topics, or partitions of them; whether they are assigned or not. Pure. */
import type { TopicPartition } from 'ottla'
import type { TopicPartitions } from '../types/metadata.ts'
import type { TopicSelection } from './arguments.ts'

interface TopicPauses {
  /** All partitions are paused but those in `resumed`. */
  isWhole: boolean
  readonly paused: Set<number>
  readonly resumed: Set<number>
}

export class Pauses {
  readonly #topics = new Map<string, TopicPauses>()

  pause(selections: readonly TopicSelection[]): void {
    for (const { topic, partitions } of selections) {
      const state = this.#of(topic)
      if (partitions === undefined) reset(state, true)
      for (const partition of partitions ?? []) {
        state.paused.add(partition)
        state.resumed.delete(partition)
      }
    }
  }

  resume(selections: readonly TopicSelection[]): void {
    for (const { topic, partitions } of selections) {
      const state = this.#of(topic)
      if (partitions === undefined) reset(state, false)
      for (const partition of partitions ?? []) {
        state.paused.delete(partition)
        if (state.isWhole) state.resumed.add(partition)
      }
    }
  }

  has({ topic, partition }: TopicPartition): boolean {
    const state = this.#topics.get(topic)
    if (state === undefined) return false
    return state.paused.has(partition) || (state.isWhole && !state.resumed.has(partition))
  }

  /** Which of these partitions are paused, by topic. */
  among(assigned: readonly TopicPartition[]): TopicPartitions[] {
    const byTopic = new Map<string, number[]>()
    for (const each of assigned) {
      if (this.has(each)) byTopic.set(each.topic, [...(byTopic.get(each.topic) ?? []), each.partition])
    }
    return Array.from(byTopic, ([topic, partitions]) => ({ topic, partitions: partitions.sort((a, b) => a - b) }))
  }

  #of(topic: string): TopicPauses {
    let state = this.#topics.get(topic)
    if (state === undefined) {
      state = { isWhole: false, paused: new Set(), resumed: new Set() }
      this.#topics.set(topic, state)
    }
    return state
  }
}

function reset(state: TopicPauses, isWhole: boolean): void {
  state.isWhole = isWhole
  state.paused.clear()
  state.resumed.clear()
}
