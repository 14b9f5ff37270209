/** The controller: which brokers are alive, who leads, and who is in sync. */
import { setLeader, settleReassignment } from '../topics/reassignments.ts'
import type { Partition, Topic, TopicStore } from '../topics/topics.ts'

export class Controller {
  readonly #topics: TopicStore
  // Brokers that are taken for dead.
  readonly #fenced = new Set<number>()

  constructor(topics: TopicStore) {
    this.#topics = topics
  }

  isAlive(brokerId: number): boolean {
    return !this.#fenced.has(brokerId)
  }

  /** Takes a broker for dead: it leaves every ISR but those it is the last of, and leads nothing. */
  fence(brokerId: number): void {
    this.#fenced.add(brokerId)
    for (const topic of this.#topics.all()) {
      for (const partition of topic.partitions) {
        if (partition.isr.includes(brokerId)) shrink(partition, [brokerId])
        if (partition.leader === brokerId) this.#elect(topic, partition)
      }
      this.#topics.changed(topic)
    }
  }

  /** Takes a broker for alive again. It has to catch up before it is in sync. */
  unfence(brokerId: number): void {
    this.#fenced.delete(brokerId)
    for (const topic of this.#topics.all()) {
      for (const partition of topic.partitions) if (partition.leader < 0) this.#elect(topic, partition)
      this.#topics.changed(topic)
    }
  }

  /** Another broker has the id of one that was removed for good. */
  forget(brokerId: number): void {
    this.#fenced.delete(brokerId)
  }

  /**
   * A broker has restarted before anyone took it for dead: it leads what it led, in a new epoch. Where it follows, it has
   * to catch up before it is in sync, since it may have forgotten records.
   */
  restarted(brokerId: number): void {
    for (const topic of this.#topics.all()) {
      for (const partition of topic.partitions) {
        if (partition.leader === brokerId) partition.leaderEpoch++
        else if (partition.isr.includes(brokerId)) shrink(partition, [brokerId])
      }
      this.#topics.changed(topic)
    }
  }

  /**
   * A leader asks for another ISR (AlterPartition).
   * @returns false if it is not the leader any more, or an addition is not alive
   */
  alterIsr(topic: Topic, partition: Partition, by: number, leaderEpoch: number, isr: readonly number[]): boolean {
    if (partition.leader !== by || partition.leaderEpoch !== leaderEpoch) return false
    if (!isr.every(id => this.isAlive(id) && partition.replicas.includes(id))) return false
    partition.isr = [...isr]
    settleReassignment(partition)
    this.#topics.changed(topic)
    return true
  }

  /** Elects leaders where the present one is no replica or not alive. */
  electAll(): void {
    for (const topic of this.#topics.all()) this.#topics.changed(topic)
  }

  /** Makes a partition consistent after any change of it. */
  settle(topic: Topic, partition: Partition): void {
    const { replicas, isr } = partition
    const left = isr.filter(id => replicas.includes(id))
    if (left.length < isr.length) partition.isr = left
    const isLed = partition.leader >= 0 && this.isAlive(partition.leader) && replicas.includes(partition.leader)
    if (!isLed) this.#elect(topic, partition)
    // Whoever is made the leader on command is in sync from now on, and alone: that election is unclean.
    else if (!partition.isr.includes(partition.leader)) partition.isr = [partition.leader]
  }

  // From the ISR if any of it is alive, in the order of the replicas; else unclean if the topic allows it.
  #elect(topic: Topic, partition: Partition): void {
    const alive = partition.replicas.filter(id => this.isAlive(id))
    const next = alive.find(id => partition.isr.includes(id))
    if (next !== undefined) {
      setLeader(partition, next)
      return
    }
    const isUnclean = this.#topics.config(topic, 'unclean.leader.election.enable') === 'true'
    const [any] = alive
    if (isUnclean && any !== undefined) {
      partition.isr = [any]
      setLeader(partition, any)
      return
    }
    setLeader(partition, -1)
  }
}

// The last member stays: only it has all that was acknowledged.
function shrink(partition: Partition, gone: readonly number[]): void {
  const left = partition.isr.filter(id => !gone.includes(id))
  if (left.length > 0) partition.isr = left
}
