/**
 * The assignor of streams groups: tasks stay where they are, go to where their state is, then to the least loaded
 * process, and in it to the member with the fewest. A process has at most one copy of a task's state.
 */
import { partitionKey } from '../partition-set.ts'
import type { ConfiguredSubtopology } from './configured-topology.ts'
import type { Tasks } from './tasks.ts'

export interface StreamsAssignorMember {
  readonly id: string
  readonly processId: string
  /** The target assignment so far. */
  readonly target: Tasks
}

export type StreamsAssignment = Map<string, { readonly active: Set<string>; readonly standby: Set<string> }>

interface Task {
  readonly key: string
  readonly subtopologyId: string
  readonly index: number
}

interface Process {
  readonly members: Worker[]
  readonly tasks: Set<string>
}

interface Worker {
  readonly id: string
  readonly process: Process
  readonly active: Set<string>
  readonly standby: Set<string>
}

/** @param standbys copies of each task's state */
export function assignTasks(
  members: readonly StreamsAssignorMember[],
  subtopologies: readonly ConfiguredSubtopology[],
  standbys: number,
): StreamsAssignment {
  const assignor = new StickyAssignor(members, subtopologies, standbys)
  assignor.assignActive()
  if (standbys > 0) assignor.assignStandby()
  return assignor.assignment()
}

/** How many tasks a member may have before others have had theirs. */
class Quota {
  #tasks: number
  #members: number
  perMember: number

  constructor(tasks: number, members: number) {
    this.#tasks = tasks
    this.#members = members
    this.perMember = this.#share()
  }

  /** A member has this many now: if that is its share, the others divide the rest. */
  filled(count: number): void {
    if (count !== this.perMember) return
    this.#members--
    this.#tasks -= count
    this.perMember = this.#share()
  }

  #share(): number {
    return this.#members === 0 ? 0 : Math.ceil(this.#tasks / this.#members)
  }
}

class StickyAssignor {
  readonly #subtopologies: readonly ConfiguredSubtopology[]
  readonly #standbys: number
  readonly #workers: Worker[] = []
  readonly #processes = new Map<string, Process>()
  readonly #lastActive = new Map<string, Worker>()
  readonly #lastStandby = new Map<string, Worker[]>()
  readonly #activeQuota: Quota
  readonly #quota: Quota

  constructor(
    members: readonly StreamsAssignorMember[],
    subtopologies: readonly ConfiguredSubtopology[],
    standbys: number,
  ) {
    this.#subtopologies = subtopologies
    this.#standbys = standbys
    for (const member of members) this.#add(member)
    const active = subtopologies.reduce((sum, { tasks }) => sum + tasks, 0)
    const copies = subtopologies.reduce((sum, { tasks, isStateful }) => sum + (isStateful ? tasks * standbys : 0), 0)
    this.#activeQuota = new Quota(active, members.length)
    this.#quota = new Quota(active + copies, members.length)
  }

  assignActive(): void {
    // Partitions with the same number are kept together, as far as they were.
    const stay = this.#tasks(false).sort((a, b) => a.index - b.index || byName(a, b))
    const moved = stay.filter(task => !this.#giveActive(this.#lastActive.get(task.key), task))
    const left = moved.filter(task => {
      const candidate = this.#leastLoaded(this.#lastStandby.get(task.key) ?? [], null)
      return !this.#giveActive(candidate, task)
    })
    for (const task of left.sort((a, b) => byName(a, b) || a.index - b.index)) {
      const process = this.#byLoad()[0]
      if (process !== undefined) this.#give(fewest(process.members), task, 'active')
    }
  }

  assignStandby(): void {
    const left: { task: Task; copies: number }[] = []
    for (const task of this.#tasks(true).sort((a, b) => b.index - a.index || byName(b, a))) {
      let given = 0
      while (given < this.#standbys && this.#keepStandby(task)) given++
      if (given < this.#standbys) left.push({ task, copies: this.#standbys - given })
    }
    left.sort((a, b) => byName(b.task, a.task) || b.task.index - a.task.index)
    for (const { task, copies } of left) {
      for (let i = 0; i < copies; i++) {
        const process = this.#byLoad().find(({ tasks }) => !tasks.has(task.key))
        // Every process has the state already.
        if (process === undefined) break
        this.#give(fewest(process.members), task, 'standby')
      }
    }
  }

  assignment(): StreamsAssignment {
    return new Map(this.#workers.map(({ id, active, standby }) => [id, { active, standby }]))
  }

  #add({ id, processId, target }: StreamsAssignorMember): void {
    let process = this.#processes.get(processId)
    if (process === undefined) this.#processes.set(processId, (process = { members: [], tasks: new Set() }))
    const worker: Worker = { id, process, active: new Set(), standby: new Set() }
    process.members.push(worker)
    this.#workers.push(worker)
    for (const key of target.active) this.#lastActive.set(key, worker)
    for (const key of target.standby) {
      const known = this.#lastStandby.get(key)
      if (known === undefined) this.#lastStandby.set(key, [worker])
      else known.push(worker)
    }
  }

  #tasks(statefulOnly: boolean): Task[] {
    return this.#subtopologies
      .filter(({ isStateful }) => isStateful || !statefulOnly)
      .flatMap(({ subtopologyId, tasks }) =>
        Array.from({ length: tasks }, (_, index) => ({
          key: partitionKey(subtopologyId, index),
          subtopologyId,
          index,
        })),
      )
  }

  /** Whether the member has room for one more. */
  #giveActive(worker: Worker | undefined, task: Task): boolean {
    if (worker === undefined || countOf(worker) >= this.#activeQuota.perMember) return false
    this.#give(worker, task, 'active')
    return true
  }

  /** Whether somebody who had the task before keeps a copy of its state. */
  #keepStandby(task: Task): boolean {
    const before = this.#lastActive.get(task.key)
    const isFree = before !== undefined && !before.process.tasks.has(task.key)
    const candidate = isFree && this.#hasRoom(before) ? before : this.#lastHolder(task)
    if (candidate === undefined) return false
    this.#give(candidate, task, 'standby')
    return true
  }

  #lastHolder(task: Task): Worker | undefined {
    const holder = this.#leastLoaded(this.#lastStandby.get(task.key) ?? [], task.key)
    return holder !== undefined && this.#hasRoom(holder) ? holder : undefined
  }

  #hasRoom(worker: Worker): boolean {
    return countOf(worker) < this.#quota.perMember
  }

  /** @param without the process must not have this task yet; null: it may */
  #leastLoaded(workers: readonly Worker[], without: string | null): Worker | undefined {
    const able = workers.filter(({ process }) => without === null || !process.tasks.has(without))
    let [best] = able
    for (const worker of able) {
      if (best === undefined) break
      if (loadOf(worker.process) < loadOf(best.process) && countOf(worker) < countOf(best)) best = worker
    }
    return best
  }

  #byLoad(): Process[] {
    return [...this.#processes.values()].sort((a, b) => loadOf(a) - loadOf(b))
  }

  #give(worker: Worker, { key }: Task, kind: 'active' | 'standby'): void {
    worker[kind].add(key)
    worker.process.tasks.add(key)
    const count = countOf(worker)
    if (kind === 'active') this.#activeQuota.filled(count)
    this.#quota.filled(count)
  }
}

function byName(a: Task, b: Task): number {
  return a.subtopologyId < b.subtopologyId ? -1 : a.subtopologyId > b.subtopologyId ? 1 : 0
}

function countOf({ active, standby }: Worker): number {
  return active.size + standby.size
}

/** Tasks for each member. */
function loadOf({ members }: Process): number {
  return members.reduce((sum, member) => sum + countOf(member), 0) / members.length
}

function fewest(members: readonly Worker[]): Worker {
  return members.reduce((best, member) => (countOf(member) < countOf(best) ? member : best))
}
