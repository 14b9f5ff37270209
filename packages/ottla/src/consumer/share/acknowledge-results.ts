/** The results of acknowledgements: for `commit`, as events, or in the log. */
import type { ClientContext } from '../../cluster/context.ts'
import type { KafkaError } from '../../errors.ts'
import type { TopicPartition } from '../../types.ts'
import { isByApplication } from './acknowledgements.ts'
import type { ShareSource } from './message.ts'

/** The result of the acknowledgements of one partition. */
export interface AcknowledgeResult extends TopicPartition {
  readonly error?: KafkaError
}

export class AcknowledgeResults {
  readonly #context: ClientContext
  readonly #waiting = new Set<Map<string, AcknowledgeResult>>()

  constructor(context: ClientContext) {
    this.#context = context
  }

  /** Collects the results, by partition, until the work has ended. */
  async during(work: Promise<unknown>): Promise<AcknowledgeResult[]> {
    const results = new Map<string, AcknowledgeResult>()
    this.#waiting.add(results)
    try {
      await work
    } finally {
      this.#waiting.delete(results)
    }
    return [...results.values()]
  }

  /** @param error null when the broker has accepted them */
  add(source: ShareSource, types: ReadonlyMap<number, number>, error: KafkaError | null): void {
    if (!isAnyByApplication(types)) return
    const { topic, partition } = source
    const result = error === null ? { topic, partition } : { topic, partition, error }
    for (const results of this.#waiting) {
      if (error !== null || !results.has(source.name)) results.set(source.name, result)
    }
    const { events, logger } = this.#context
    if (error === null && !events.hasListener('acknowledged')) return
    const offsets = [...types].filter(([, type]) => isByApplication(type)).map(([offset]) => offset)
    const isHeard = events.emit({ type: 'acknowledged', offsets, ...result })
    if (error !== null && !isHeard) logger.warning('ACKNOWLEDGE', `${offsets.length} messages: ${error.message}`)
  }
}

function isAnyByApplication(types: ReadonlyMap<number, number>): boolean {
  for (const type of types.values()) if (isByApplication(type)) return true
  return false
}
