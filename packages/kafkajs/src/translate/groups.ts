/** Groups of `ottla`, as kafkajs describes them. */
import { ErrorCode, type AdminClient, type ConsumerGroupDescription } from 'ottla'
import type { ConsumerGroupState, GroupDescription } from '../types/consumer.ts'
import { toFinalError } from './errors.ts'
import type { RetryPlan } from './retry.ts'

/** States of groups of the new protocol, by the next of what kafkajs knows. */
const states: Readonly<Record<ConsumerGroupDescription['state'], ConsumerGroupState>> = {
  Unknown: 'Unknown',
  PreparingRebalance: 'PreparingRebalance',
  CompletingRebalance: 'CompletingRebalance',
  Stable: 'Stable',
  Dead: 'Dead',
  Empty: 'Empty',
  Assigning: 'CompletingRebalance',
  Reconciling: 'PreparingRebalance',
  NotReady: 'Unknown',
}

export class GroupDescriber {
  readonly #admin: AdminClient
  readonly #plan: RetryPlan

  constructor(admin: AdminClient, plan: RetryPlan) {
    this.#admin = admin
    this.#plan = plan
  }

  /** Rejects with kafkajs's errors. */
  async describe(groupId: string): Promise<GroupDescription> {
    try {
      const [described] = await this.#admin.describeConsumerGroups([groupId])
      if (described === undefined || described.error?.code === ErrorCode.ERR_GROUP_ID_NOT_FOUND) return dead(groupId)
      if (described.error !== undefined) throw described.error
      return descriptionOf(described)
    } catch (error) {
      throw toFinalError(error, this.#plan)
    }
  }
}

function descriptionOf({ groupId, state, protocol, members }: ConsumerGroupDescription): GroupDescription {
  if (state === 'Dead') return dead(groupId)
  const description = {
    // Not declared, and there: kafkajs's answers have it.
    errorCode: 0,
    groupId,
    state: states[state],
    protocolType: 'consumer',
    protocol,
    members: members.map(({ memberId, clientId, host, memberMetadata, memberAssignment }) => ({
      memberId,
      clientId,
      clientHost: host,
      // Members of the new protocol have none.
      memberMetadata: memberMetadata ?? Buffer.alloc(0),
      memberAssignment: memberAssignment ?? Buffer.alloc(0),
    })),
  }
  return description
}

/** What brokers say of a group that does not exist. */
function dead(groupId: string): GroupDescription {
  const description = { errorCode: 0, groupId, state: 'Dead' as const, protocolType: '', protocol: '', members: [] }
  return description
}
