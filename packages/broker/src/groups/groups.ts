/** All groups of the cluster. */
import type { Clock } from '../base/clock.ts'
import type { Topic, TopicStore } from '../topics/topics.ts'
import type { ClassicSettings, SessionLimits } from './classic-member.ts'
import type { CommittedOffset } from './committed-offsets.ts'
import { GroupConfigs } from './configs.ts'
import { Group, type GroupSurroundings } from './group.ts'

/** Is told of committed offsets, before anybody else is. */
export interface GroupKeeper {
  /** @param offset null: it is no more */
  offsetChanged(groupId: string, key: string, offset: CommittedOffset | null): void
}

export interface GroupsOptions {
  readonly clock: Clock
  readonly topics: TopicStore
  readonly classic: ClassicSettings
  readonly sessionLimits: SessionLimits
  readonly keeper: GroupKeeper | null
}

export class Groups {
  readonly configs = new GroupConfigs()
  readonly classic: ClassicSettings
  readonly sessionLimits: SessionLimits
  readonly #groups = new Map<string, Group>()
  readonly #surroundings: GroupSurroundings

  constructor({ clock, topics, classic, sessionLimits, keeper }: GroupsOptions) {
    this.classic = classic
    this.sessionLimits = sessionLimits
    this.#surroundings = {
      clock,
      topics,
      configs: this.configs,
      classic,
      maxSize: classic.maxSize,
      offsetChanged: (groupId, key, offset) => keeper?.offsetChanged(groupId, key, offset),
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
    if (group === undefined) this.#groups.set(id, (group = new Group(id, this.#surroundings)))
    return group
  }

  /** With the offsets that it has committed. */
  delete(group: Group): void {
    group.close()
    group.offsets.clear()
    this.#groups.delete(group.id)
  }

  /** The topic is gone, and with it what was committed for it: one made anew has nothing to do with that. */
  forgetTopic({ name, id }: Topic): void {
    for (const group of this.#groups.values()) {
      for (const key of group.offsets.keys()) if (key.startsWith(`${name}\0`)) group.offsets.delete(key)
      group.share?.forget(id)
    }
  }

  /** Forgets offsets that nobody has needed for a week, and groups of which nothing is left. */
  expire(): void {
    for (const group of this.#groups.values()) if (group.expire()) this.delete(group)
  }

  close(): void {
    for (const group of this.#groups.values()) group.close()
  }
}
