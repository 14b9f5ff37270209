/** A member of a streams group (KIP-1071), and its steps from the current to the target assignment. */
import type { Timer } from '../../base/clock.ts'
import type { MemberState } from '../consumer-member.ts'
import type { Tasks } from './tasks.ts'

/** Active tasks with the epoch in which each was assigned; the others have none. */
export interface HeldTasks {
  readonly active: ReadonlyMap<string, number>
  readonly standby: ReadonlySet<string>
}

export interface StreamsMember {
  readonly id: string
  rackId: string | null
  clientId: string
  host: string
  rebalanceTimeoutMs: number
  topologyEpoch: number
  /** Members of one process share its state directory. */
  processId: string
  userEndpoint: { readonly host: string; readonly port: number } | null
  clientTags: ReadonlyMap<string, string>
  epoch: number
  previousEpoch: number
  state: MemberState
  assigned: HeldTasks
  revoking: HeldTasks
  readonly timers: Map<'session' | 'rebalance', Timer>
}

export const nothingHeld: HeldTasks = { active: new Map(), standby: new Set() }

export function newStreamsMember(id: string): StreamsMember {
  return {
    id,
    rackId: null,
    clientId: '',
    host: '',
    rebalanceTimeoutMs: -1,
    topologyEpoch: -1,
    processId: '',
    userEndpoint: null,
    clientTags: new Map(),
    epoch: 0,
    previousEpoch: -1,
    state: 'stable',
    assigned: nothingHeld,
    revoking: nothingHeld,
    timers: new Map(),
  }
}

/** What members have or have to give up, this one included: it keeps a task from being assigned once more. */
export interface TakenTasks {
  /** Tasks that anybody has as active ones. */
  readonly active: ReadonlySet<string>
  /** Tasks that the member's own process has, in any form. */
  readonly inProcess: ReadonlySet<string>
}

export interface StreamsTarget {
  readonly epoch: number
  readonly tasks: Tasks
  /** The tasks that the member reports; null: it did not. */
  readonly owned: Tasks | null
}

type Step = Pick<StreamsMember, 'epoch' | 'state' | 'assigned' | 'revoking'>

/** The next step of a member towards its target: it gives up tasks first, then gets those that are free. */
export function reconcileTasks(member: StreamsMember, target: StreamsTarget, taken: TakenTasks): Step {
  const { state, epoch, assigned, revoking } = member
  const stays: Step = { state, epoch, assigned, revoking }
  switch (state) {
    case 'stable':
      return epoch === target.epoch ? stays : next(member, target, taken, epoch)
    case 'unrevoked':
      return stillHas(revoking, target) ? stays : next(member, target, taken, epoch + 1)
    case 'unreleased':
      return next(member, target, taken, epoch)
    default:
      return state satisfies never
  }
}

function next(member: StreamsMember, target: StreamsTarget, taken: TakenTasks, epoch: number): Step {
  const { tasks } = target
  const { active, standby } = member.assigned
  const kept = {
    active: new Map([...active].filter(([task]) => tasks.active.has(task))),
    standby: new Set([...standby].filter(task => tasks.standby.has(task))),
  }
  const revoking: HeldTasks = {
    active: new Map([...active].filter(([task]) => !tasks.active.has(task))),
    standby: new Set([...standby].filter(task => !tasks.standby.has(task))),
  }
  if (revoking.active.size + revoking.standby.size > 0 && stillHas(revoking, target)) {
    return { state: 'unrevoked', epoch, assigned: kept, revoking }
  }
  let isWaiting = false
  for (const task of tasks.active) {
    if (kept.active.has(task)) continue
    if (taken.active.has(task) || taken.inProcess.has(task)) isWaiting = true
    else kept.active.set(task, target.epoch)
  }
  for (const task of tasks.standby) {
    if (kept.standby.has(task)) continue
    if (taken.inProcess.has(task)) isWaiting = true
    else kept.standby.add(task)
  }
  return {
    state: isWaiting ? 'unreleased' : 'stable',
    epoch: target.epoch,
    assigned: kept,
    revoking: nothingHeld,
  }
}

function stillHas(revoking: HeldTasks, { owned }: StreamsTarget): boolean {
  if (owned === null) return true
  for (const task of owned.active) if (revoking.active.has(task)) return true
  for (const task of owned.standby) if (revoking.standby.has(task)) return true
  return false
}

/** Whether two assignments are the same, epochs included. */
export function isSameHeld(a: HeldTasks, b: HeldTasks): boolean {
  if (a.active.size !== b.active.size || a.standby.size !== b.standby.size) return false
  for (const [task, epoch] of a.active) if (b.active.get(task) !== epoch) return false
  for (const task of a.standby) if (!b.standby.has(task)) return false
  return true
}
