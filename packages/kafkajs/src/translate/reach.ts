/** The first contact: kafkajs's `connect` resolves only when a broker has answered. */
import { budgetMs, type RetryPlan } from './retry.ts'
import type { Shared } from './shared.ts'

const DEFAULT_CONNECTION_TIMEOUT_MS = 1000
const LONGEST_MS = 3_600_000

/** A client of `ottla`. */
interface Asking {
  getMetadata(options: { allTopics: boolean; timeoutMs: number }): Promise<unknown>
}

/** Rejects with KafkaError if no broker answers for as long as kafkajs would try. */
export async function reach(client: Asking, { config }: Shared, plan: RetryPlan): Promise<void> {
  const ms = budgetMs(plan, config.connectionTimeout ?? DEFAULT_CONNECTION_TIMEOUT_MS)
  await client.getMetadata({ allTopics: false, timeoutMs: Math.min(LONGEST_MS, Math.ceil(ms)) })
}
