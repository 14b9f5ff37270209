/** What all faults share. */
import type { EmbeddedCluster } from '../cluster.ts'
import type { Aim } from './aim.ts'
import type { Dice } from './dice.ts'
import type { MemoryNetwork } from './memory-network.ts'

/** What faults strike. */
export interface Target {
  readonly cluster: EmbeddedCluster
  readonly network: MemoryNetwork
  /** Hosts of clients. */
  readonly hosts: readonly string[]
  readonly brokers: readonly number[]
  readonly groups: readonly string[]
  readonly transactionalIds: readonly string[]
  /** Brokers that are down; at most one at a time is taken down. */
  readonly down: Set<number>
  /** Brokers that are taken for dead. */
  readonly fenced: Set<number>
  /** Whether replication is simulated. */
  readonly isReplicated: boolean
  /** Between which hosts something is on its way; null: it does not matter. */
  readonly aim: Aim | null
}

/** A fault that has struck. */
export interface Struck {
  /** In words. */
  readonly what: string
  /** Settles once it has struck. */
  readonly begun?: Promise<void>
  /** How long it lasts, virtual ms. */
  readonly lasts?: number
  readonly end?: () => Promise<void> | void
}

/** @returns null if there is nothing to strike */
export type Strike = (target: Target, dice: Dice) => Struck | null

/** The client at which is aimed, or any. @returns null if there is none */
export function clientOf({ hosts, aim }: Target, dice: Dice): string | null {
  const meant = aim === null ? undefined : hosts.find(host => host === aim.from || host === aim.to)
  if (meant !== undefined) return meant
  return hosts.length === 0 ? null : dice.pick(hosts)
}

/** The broker at which is aimed, or any. */
export function brokerOf({ brokers, aim }: Target, dice: Dice): number {
  const meant = aim === null ? undefined : brokers.find(id => brokerHost(id) === aim.from || brokerHost(id) === aim.to)
  return meant ?? dice.pick(brokers)
}

/** Names of brokers' hosts. */
export function brokerHost(id: number): string {
  return `broker-${id}`
}

/** Most faults are short, some outlast sessions. */
export function lasting(dice: Dice): number {
  return dice.chance(0.5) ? dice.int(10, 3000) : dice.int(1000, 20_000)
}

/** null where the cluster refuses. */
export function attempt(what: string, change: () => void): Struck | null {
  try {
    change()
    return { what }
  } catch {
    return null
  }
}
