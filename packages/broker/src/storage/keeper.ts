import type { GroupKeeper } from '../groups/groups.ts'
import type { TopicKeeper } from '../topics/topics.ts'
import type { TransactionKeeper } from '../transactions/coordinator.ts'
import type { ProducerIdKeeper } from '../transactions/producer-ids.ts'
import type { TransactionalOffsetsKeeper } from '../transactions/transactional-offsets.ts'

/** Is told of everything that has to outlive the process, before anybody is told that it has happened. */
export interface Keeper
  extends TopicKeeper, GroupKeeper, TransactionKeeper, TransactionalOffsetsKeeper, ProducerIdKeeper {}
