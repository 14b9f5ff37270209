/** Runs a function as one transaction. */
import type { Wait } from '../../base/wait.ts'
import { KafkaError } from '../../errors.ts'
import type { Transactions } from './transactions.ts'

/**
 * Begins, calls `work`, commits; aborts if `work` throws or the commit cannot succeed. Initializes before the first
 * transaction. Rejects with what `work` threw, or the commit's error; with the abort's error if that fails too,
 * whose cause is the first one.
 */
export async function runTransaction<T>(transactions: Transactions, work: () => Promise<T>, wait: Wait): Promise<T> {
  if (!transactions.isInitialized) await transactions.initialize(wait)
  transactions.begin()
  try {
    const result = await work()
    await transactions.commit(wait)
    return result
  } catch (error) {
    // A commit that timed out carries on: there is nothing to abort.
    if (transactions.isOpen) await abort(transactions, wait, error)
    throw error
  }
}

async function abort(transactions: Transactions, wait: Wait, reason: unknown): Promise<void> {
  try {
    await transactions.abort(wait)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    const { code, message, isFatal, isRetriable, txnRequiresAbort } = error
    const traits = { fatal: isFatal, retriable: isRetriable && !isFatal, txnRequiresAbort }
    throw new KafkaError(code, message, { ...traits, cause: reason })
  }
}
