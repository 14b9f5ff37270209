/** A cluster as a test file uses it. */
import { backgroundClock } from '../base/clock.ts'
import type { EmbeddedCluster } from '../cluster.ts'
import type { CommittedPartition } from '../groups/group.ts'
import type { GroupStatus } from '../groups/status.ts'
import type { StoredMessage } from '../topics/messages.ts'
import type { MessageInput } from '../topics/writing.ts'
import type { ClusterAccess, ClusterCalls } from './access.ts'
import { repeat, type EventuallyOptions } from './eventually.ts'
import { topicsOf, type TestTopic, type TestTopics } from './topics.ts'
import type { Limits, Time } from './time.ts'
import {
  committedBy,
  groupIs,
  messagesIn,
  type CommittedWait,
  type GroupWait,
  type MessagesWait,
  type WaitOptions,
  type Waiting,
} from './waits.ts'

// A service that was not closed has its connections cut after ten seconds.
const RELEASE_CHECK_MS = 50
const RELEASE_CHECKS = 200

/** How a test cluster comes into being. */
export interface TestClusterParts {
  readonly open: () => Promise<ClusterAccess>
  readonly time: Time
  readonly topics: TestTopics
  /** The cluster's default for waits, ms. */
  readonly timeoutMs: number
  /** In front of the names of topics, groups and transactional ids; empty for a cluster of the test's own. */
  readonly prefix: string
}

/**
 * A cluster for the tests of a file or suite, from `testCluster`, `startTestCluster`, `sharedCluster` or
 * `simulatedCluster`. Methods that return a promise start it if that has not happened yet.
 *
 * Topics and groups are named as the test names them: where others use the cluster, too, it has a prefix in front of them.
 * @since 0.1.0
 */
export class TestCluster implements AsyncDisposable {
  readonly #parts: TestClusterParts
  #starting: Promise<ClusterAccess> | null = null
  #access: ClusterAccess | null = null
  #closing: Promise<void> | null = null

  /** @internal */
  constructor(parts: TestClusterParts) {
    this.#parts = parts
  }

  /** Starts the cluster and fills its topics, unless that has happened. Rejects with Error for a closed cluster. */
  async start(): Promise<this> {
    await this.#started()
    return this
  }

  /** For `bootstrap.servers`. Throws Error before the start. */
  get bootstrapServers(): string {
    return this.#running('bootstrapServers').bootstrapServers
  }

  /**
   * The cluster itself, for faults and all else: `cluster.embedded.brokerDown(2)`. Throws Error before the start, and for
   * a shared cluster, whose other users would meet the faults, too.
   */
  get embedded(): EmbeddedCluster {
    const { embedded } = this.#running('embedded')
    if (embedded !== null) return embedded
    throw new Error('a shared cluster cannot be changed by one of its tests: give the test a testCluster of its own')
  }

  /** The name that a topic of the test has in the cluster. */
  topic(name: string): string {
    return this.#named(name)
  }

  /** The id that a group of the test has in the cluster. */
  groupId(id: string): string {
    return this.#named(id)
  }

  /** The transactional id that a producer of the test has in the cluster. */
  transactionalId(id: string): string {
    return this.#named(id)
  }

  /** Creates a topic, with messages if there are any. Rejects with Error for one that exists. */
  async createTopic(name: string, topic: TestTopic = {}): Promise<void> {
    await (await this.#calls()).createTopic(this.#named(name), topic)
  }

  /** Deletes a topic. Rejects with Error for one that does not exist. */
  async deleteTopic(name: string): Promise<void> {
    await (await this.#calls()).deleteTopic(this.#named(name))
  }

  /**
   * Writes messages without a client, as `EmbeddedCluster.produce` does. Rejects with Error, and writes nothing, for what
   * a broker would refuse.
   */
  async produce(topic: string, messages: readonly MessageInput[]): Promise<void> {
    await (await this.#calls()).produce(this.#named(topic), messages)
  }

  /** The messages of a topic, one partition after the other, as a `read_committed` consumer would read them. */
  async messages(topic: string): Promise<StoredMessage[]> {
    return (await this.#calls()).messages(this.#named(topic), [])
  }

  /** What a group has committed. */
  async committedOffsets(groupId: string): Promise<CommittedPartition[]> {
    return (await this.#calls()).committedOffsets(this.#named(groupId))
  }

  /**
   * Waits until a topic holds messages, and resolves with those that count, one partition after the other. Only messages
   * that a `read_committed` consumer would read are seen. The topic need not exist yet.
   *
   * ```ts
   * const [order] = await cluster.waitForMessages('orders', { where: ({ key }) => String(key) === '7' })
   * ```
   * Rejects with Error after `timeoutMs`, with how many there were at which offsets.
   */
  async waitForMessages(topic: string, wait: MessagesWait = {}): Promise<StoredMessage[]> {
    return messagesIn(await this.#waiting(), this.#named(topic), wait, this.#limits(wait))
  }

  /**
   * Waits until a group has committed all messages of a topic, or certain offsets. In a share group, acknowledged
   * records count. Resolves with what is committed of the topic.
   *
   * Rejects with Error after `timeoutMs`, with how far each partition was.
   */
  async waitForCommitted(groupId: string, topic: string, wait: CommittedWait = {}): Promise<CommittedPartition[]> {
    const names = [this.#named(groupId), this.#named(topic)] as const
    return committedBy(await this.#waiting(), ...names, wait, this.#limits(wait))
  }

  /**
   * Waits until a group is stable and has members, or until it has another state. Resolves with the group and what is
   * assigned to its members.
   *
   * Rejects with Error after `timeoutMs`, with the state that it was in.
   */
  async waitForGroup(groupId: string, wait: GroupWait = {}): Promise<GroupStatus> {
    return groupIs(await this.#waiting(), this.#named(groupId), wait, this.#limits(wait))
  }

  /** `eventually` in the time of the cluster, which in a simulation is virtual, and with its deadline. */
  async eventually<T>(check: () => T | Promise<T>, options: EventuallyOptions = {}): Promise<T> {
    return repeat(this.#parts.time, check, options, this.#parts.timeoutMs)
  }

  /**
   * As new, for the next test: topics, and groups without members, are deleted, faults that were not met are dropped, and
   * the topics that it was started with are filled again.
   */
  async reset(): Promise<void> {
    const calls = await this.#calls()
    await this.#clear(calls)
    this.#access?.embedded?.clearFaults()
    await this.#fill(calls)
  }

  /** Stops the cluster; of a shared one, only this test's topics and groups go. Does nothing if it was never started. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /**
   * Closes the cluster as soon as its clients have closed their connections, without keeping the process alive for that:
   * in most runners hooks that close them come after the one that calls this.
   * @internal
   */
  async release(): Promise<void> {
    const embedded = this.#access?.embedded ?? null
    if (embedded === null || embedded.connections === 0) await this.close()
    else this.#closeLater(embedded, RELEASE_CHECKS)
  }

  #closeLater(embedded: EmbeddedCluster, checks: number): void {
    backgroundClock.setTimer(RELEASE_CHECK_MS, () => {
      if (checks > 0 && embedded.connections > 0) this.#closeLater(embedded, checks - 1)
      else void this.close()
    })
  }

  #started(): Promise<ClusterAccess> {
    if (this.#closing !== null) return Promise.reject(new Error('the test cluster is closed'))
    this.#starting ??= this.#open()
    return this.#starting
  }

  async #open(): Promise<ClusterAccess> {
    const access = await this.#parts.open()
    try {
      await this.#fill(access.calls)
    } catch (error) {
      await access.close()
      throw error
    }
    this.#access = access
    return access
  }

  async #fill(calls: ClusterCalls): Promise<void> {
    for (const [name, topic] of topicsOf(this.#parts.topics)) await calls.createTopic(this.#named(name), topic)
  }

  async #clear(calls: ClusterCalls): Promise<void> {
    const { prefix } = this.#parts
    for (const name of await calls.topics()) if (name.startsWith(prefix)) await calls.deleteTopic(name)
    for (const { groupId, members } of await calls.groups()) {
      if (groupId.startsWith(prefix) && members.length === 0) await calls.deleteGroup(groupId)
    }
  }

  async #close(): Promise<void> {
    // A start that fails has closed what it opened.
    const access = await this.#starting?.catch(() => null)
    if (access === null || access === undefined) return
    try {
      if (this.#parts.prefix !== '') await this.#clear(access.calls)
    } finally {
      await access.close()
    }
  }

  #running(what: string): ClusterAccess {
    if (this.#closing !== null) throw new Error(`${what}: the test cluster is closed`)
    if (this.#access !== null) return this.#access
    throw new Error(
      `${what}: the test cluster is not started. testCluster starts it before the tests where it finds the runner's ` +
        'hooks, or is passed them: testCluster({}, { beforeAll, afterAll }). Otherwise await cluster.start().',
    )
  }

  async #calls(): Promise<ClusterCalls> {
    return (await this.#started()).calls
  }

  async #waiting(): Promise<Waiting> {
    return { calls: await this.#calls(), time: this.#parts.time }
  }

  #limits({ timeoutMs, signal }: WaitOptions): Limits {
    return { timeoutMs: timeoutMs ?? this.#parts.timeoutMs, signal }
  }

  #named(name: string): string {
    const { prefix } = this.#parts
    return name.startsWith(prefix) ? name : prefix + name
  }
}
