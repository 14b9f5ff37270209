/** All groups of the cluster. */
import type { Clock } from '../base/clock.ts'
import type { Topic, TopicStore } from '../topics/topics.ts'
import type { ClassicSettings, SessionLimits } from './classic-member.ts'
import type { CommittedOffset } from './committed-offsets.ts'
import { GroupConfigs } from './configs.ts'
import { Group, type GroupContext } from './group.ts'

/** Makes committed offsets durable, before their commit is acknowledged. */
export interface GroupPersistence {
  /** @param offset null: it was deleted */
  offsetChanged(groupId: string, key: string, offset: CommittedOffset | null): void
}

export interface GroupsOptions {
  readonly clock: Clock
  readonly topics: TopicStore
  readonly classic: ClassicSettings
  readonly sessionLimits: SessionLimits
  readonly persistence: GroupPersistence | null
  /** The settings that brokers were started with. */
  readonly brokerSettings: ReadonlyMap<string, string>
}

export class Groups {
  readonly configs: GroupConfigs
  readonly classic: ClassicSettings
  readonly sessionLimits: SessionLimits
  readonly #groups = new Map<string, Group>()
  readonly #context: GroupContext

  constructor({ clock, topics, classic, sessionLimits, persistence, brokerSettings }: GroupsOptions) {
    this.configs = new GroupConfigs(brokerSettings)
    this.classic = classic
    this.sessionLimits = sessionLimits
    this.#context = {
      clock,
      topics,
      configs: this.configs,
      classic,
      maxSize: classic.maxSize,
      offsetChanged: (groupId, key, offset) => persistence?.offsetChanged(groupId, key, offset),
    }
  }

  all(): IterableIterator<Group> {
    return this.#groups.values()
  }

  has(id: string): boolean {
    return this.#groups.has(id)
  }

  get(id: string): Group | undefined {
    return this.#groups.get(id)
  }

  getOrCreate(id: string): Group {
    let group = this.#groups.get(id)
    if (group === undefined) this.#groups.set(id, (group = new Group(id, this.#context)))
    return group
  }

  /** Deletes a group and its committed offsets. */
  delete(group: Group): void {
    group.close()
    group.offsets.clear()
    this.#groups.delete(group.id)
  }

  /** Deletes the offsets of a deleted topic: a new one of the same name must not inherit them. */
  forgetTopic({ name, id }: Topic): void {
    for (const group of this.#groups.values()) {
      for (const key of group.offsets.keys()) if (key.startsWith(`${name}\0`)) group.offsets.delete(key)
      group.share?.forget(id)
    }
  }

  /** Another broker coordinates these groups, and knows only what was stored of them. */
  moved(matches: (groupId: string) => boolean): void {
    for (const group of this.#groups.values()) if (matches(group.id)) group.moved()
  }

  /** Deletes offsets unused for a week, and groups of which nothing is left. */
  expire(): void {
    for (const group of this.#groups.values()) if (group.expire()) this.delete(group)
  }

  close(): void {
    for (const group of this.#groups.values()) group.close()
  }
}
