/** One broker's part in the replication. */
import type { Timer } from '../base/clock.ts'
import type { BrokerMetadata } from './broker-metadata.ts'
import type { Replica } from './replica.ts'

export interface Member {
  readonly id: number
  readonly metadata: BrokerMetadata
  /** Between a change at the leader and the fetch that brings it, ms; null: a few, by chance. */
  lagMs: number | null
  isUp: boolean
  /** It answers nobody and asks for nothing. */
  isPaused: boolean
  /** It fetches nothing. */
  isStopped: boolean
  /** Until the controller notices that it is down. */
  detection: Timer | null
  /** Whether the controller will not notice. */
  isUnnoticed: boolean
}

export class Members extends Map<number, Member> {
  /** Throws Error for an unknown broker. */
  of(brokerId: number): Member {
    const member = this.get(brokerId)
    if (member === undefined) throw new Error(`there is no broker ${brokerId}`)
    return member
  }

  isFetching(brokerId: number): boolean {
    const member = this.get(brokerId)
    return member !== undefined && member.isUp && !member.isPaused && !member.isStopped
  }

  /** Whether a broker answers others. */
  isServing(brokerId: number): boolean {
    const member = this.get(brokerId)
    return member !== undefined && member.isUp && !member.isPaused
  }

  /** The same partition on another broker. */
  replica(brokerId: number, { topicId, index }: Pick<Replica, 'topicId' | 'index'>): Replica | undefined {
    return this.get(brokerId)?.metadata.byId(topicId)?.partitions[index]
  }
}
