/** The groups of a cluster, and the offsets that were committed in their names. */
import { ErrorCode } from '@ottla/protocol'
import type { Clock } from './clock.ts'
import { ClassicGroup } from './groups/classic.ts'
import type { ClassicSettings } from './groups/classic-member.ts'
import type { GroupConfigs } from './groups/configs.ts'
import type { TopicStore } from './topics.ts'

export interface CommittedOffset {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string | null
}

/** What groups need of the cluster they are in. */
export interface GroupSurroundings {
  readonly clock: Clock
  readonly topics: TopicStore
  readonly configs: GroupConfigs
  readonly classic: ClassicSettings
}

/** One id: its offsets stay when the members make another type of group of it. */
export class Group {
  readonly id: string
  /** By {@link offsetKey}. */
  readonly offsets = new Map<string, CommittedOffset>()
  #core: ClassicGroup

  constructor(id: string, surroundings: GroupSurroundings) {
    this.id = id
    this.#core = new ClassicGroup(id, surroundings.clock, surroundings.classic)
  }

  get type(): 'classic' {
    return this.#core.type
  }

  get state(): string {
    return this.#core.state
  }

  get protocolType(): string {
    return this.#core.protocolType ?? ''
  }

  get isEmpty(): boolean {
    return this.#core.isEmpty
  }

  /** The group as members with the classic protocol see it; null: it is none for them. */
  get classic(): ClassicGroup | null {
    return this.#core
  }

  /** Whether offsets may be committed by whoever says to be this member. */
  checkCommit(memberId: string, epoch: number, groupInstanceId: string | null, isTransactional = false): number {
    return this.#core.checkCommit(memberId, epoch, groupInstanceId, isTransactional)
  }

  /** 0, or why the offsets of the group cannot be deleted at all. */
  checkOffsetDelete(): number {
    return this.isEmpty || this.protocolType === 'consumer' ? ErrorCode.ERR_NO_ERROR : ErrorCode.ERR_NON_EMPTY_GROUP
  }

  /** Whether members read the topic, so that its offsets have to stay. */
  isSubscribedTo(topic: string): boolean {
    return this.#core.isSubscribedTo(topic)
  }

  /** The cluster or the group is going away: nobody is left waiting. */
  close(): void {
    this.#core.close()
  }
}

/** Where the offset of a partition is found among those of a group. */
export function offsetKey(topic: string, partition: number): string {
  return `${topic}\0${partition}`
}
