import type { GroupKeeper } from '../groups/groups.ts'
import type { TopicKeeper } from '../topics/topics.ts'
import type { TransactionKeeper } from '../transactions/coordinator.ts'
import type { ProducerIdKeeper } from '../transactions/producer-ids.ts'
import type { TransactionalOffsetsKeeper } from '../transactions/transactional-offsets.ts'

/** Makes everything durable that has to outlive the process, before it is acknowledged. */
export interface Keeper
  extends TopicKeeper, GroupKeeper, TransactionKeeper, TransactionalOffsetsKeeper, ProducerIdKeeper {}
