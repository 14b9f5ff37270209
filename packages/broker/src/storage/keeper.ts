import type { CommittedOffset } from '../groups/committed-offsets.ts'
import type { TopicKeeper } from '../topics/topics.ts'
import type { Transaction } from '../transactions/transaction.ts'

/** Is told of everything that has to outlive the process, before anybody is told that it has happened. */
export interface Keeper extends TopicKeeper {
  /** @param offset null: it is no more */
  offsetChanged(groupId: string, key: string, offset: CommittedOffset | null): void
  /** An offset that counts when the producer's transaction is committed. */
  offsetPending(producerId: bigint, groupId: string, key: string, offset: CommittedOffset): void
  /** What the producer has committed to the group counts or not; it is pending no more. */
  pendingEnded(producerId: bigint, groupId: string): void
  transactionChanged(transaction: Transaction): void
  producerIdGiven(producerId: bigint): void
}
