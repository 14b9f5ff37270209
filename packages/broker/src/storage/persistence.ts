import type { GroupPersistence } from '../groups/groups.ts'
import type { TopicPersistence } from '../topics/topics.ts'
import type { TransactionPersistence } from '../transactions/coordinator.ts'
import type { ProducerIdPersistence } from '../transactions/producer-ids.ts'
import type { PendingOffsetPersistence } from '../transactions/transactional-offsets.ts'

/** Makes everything durable that has to outlive the process, before it is acknowledged. */
export interface Persistence
  extends TopicPersistence, GroupPersistence, TransactionPersistence, PendingOffsetPersistence, ProducerIdPersistence {}
