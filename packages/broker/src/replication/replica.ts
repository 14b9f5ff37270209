/** One broker's copy of a partition, with what the broker knows of the partition. */
import { PartitionLog } from '../log/log.ts'
import type { LogMemory } from '../log/log-memory.ts'
import type { Clock, Timer } from '../base/clock.ts'
import type { PartitionReplication, PartitionView } from '../topics/views.ts'
import { Acknowledgements } from './acknowledgements.ts'
import { FlushPoints } from './flush-points.ts'
import type { Leadership } from './leadership.ts'

/** A partition's state as the controller announces it. */
export interface PartitionState {
  /** Counts up with every change. */
  readonly version: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly leader: number
  readonly leaderEpoch: number
}

export interface ReplicaPlace {
  readonly brokerId: number
  readonly topicId: string
  readonly topic: string
  readonly index: number
}

export class Replica implements PartitionView, PartitionReplication {
  readonly brokerId: number
  readonly topicId: string
  readonly topic: string
  readonly index: number
  readonly log: PartitionLog
  readonly acknowledgements: Acknowledgements
  readonly flushPoints: FlushPoints
  replicas: readonly number[] = []
  isr: readonly number[] = []
  leader = -1
  leaderEpoch = -1
  version = 0
  /** While the broker leads the partition, as far as it knows. */
  leadership: Leadership | null = null
  /** The next fetch from the leader. */
  fetchTimer: Timer | null = null
  /** Where the log ends when the broker is back from a crash. */
  survivingEnd = Infinity
  readonly #onWait: (endOffset: number) => number | null

  /** @param onWait 0 or an error code if a producer with acks=all need not wait for this offset, else null */
  constructor(
    { brokerId, topicId, topic, index }: ReplicaPlace,
    clock: Clock,
    memory: LogMemory,
    onWait: (replica: Replica, endOffset: number) => number | null,
  ) {
    this.brokerId = brokerId
    this.topicId = topicId
    this.topic = topic
    this.index = index
    this.log = new PartitionLog(memory)
    this.log.replicatedTo(0)
    this.acknowledgements = new Acknowledgements(clock)
    this.flushPoints = new FlushPoints(clock.now())
    this.#onWait = endOffset => onWait(this, endOffset)
  }

  get replication(): PartitionReplication {
    return this
  }

  get epochStart(): number {
    return this.leadership?.epochStart ?? 0
  }

  acknowledged(endOffset: number, timeoutMs: number, signal?: AbortSignal): Promise<number> {
    const known = this.#onWait(endOffset)
    if (known !== null) return Promise.resolve(known)
    return this.acknowledgements.wait(endOffset, timeoutMs, signal ?? null)
  }

  hasOffset(brokerId: number, offset: number): boolean {
    return this.leadership === null || this.leadership.endOffsetOf(brokerId) >= offset
  }
}
