/** Faults by chance, for a while; afterwards nothing stands in anybody's way any more. */
import type { Timer } from '../base/clock.ts'
import type { EmbeddedCluster } from '../cluster.ts'
import { nextOnItsWay } from './aim.ts'
import type { Dice } from './dice.ts'
import { faultKinds, strike, type FaultKind } from './faults.ts'
import type { MemoryNetwork } from './memory-network.ts'
import type { Struck } from './strikes.ts'
import type { VirtualTime } from './virtual-time.ts'

/**
 * Which faults come, and how often.
 * @since 0.1.0
 */
export interface StormOptions {
  /** How long it lasts, virtual ms. */
  readonly ms: number
  /** Time between two faults on average, virtual ms; 1000 by default. */
  readonly everyMs?: number
  /**
   * How many of the faults strike while something is on its way, at the client and the broker between which it is: 0 to
   * 1, 0 by default. They come a little later than the others would.
   */
  readonly aimed?: number
  /** How the time until the next fault passes; by default it simply passes. To have no faults while a program rests. */
  readonly wait?: (ms: number) => Promise<void>
  /** All kinds by default. */
  readonly kinds?: readonly FaultKind[]
  /** Clients' hosts that faults may strike; by default all that are there at the moment. */
  readonly hosts?: () => readonly string[]
  /** Groups whose coordinators may move. */
  readonly groups?: readonly string[]
  /** Transactional ids whose coordinators may move. */
  readonly transactionalIds?: readonly string[]
  /** Numbers of faults to leave out; the others come as they would have. */
  readonly without?: ReadonlySet<number>
  /** Called with every fault that strikes. */
  readonly onFault?: (fault: Fault) => void
}

/**
 * A fault that has struck.
 * @since 0.1.0
 */
export interface Fault {
  /** Counts up from 0, faults that were left out included. */
  readonly number: number
  readonly kind: FaultKind
  /** What it has struck, in words. */
  readonly what: string
  /** How long it lasts, virtual ms; 0 for what happens at once, as a cut connection. */
  readonly lastsMs: number
}

export interface StormSurroundings {
  readonly time: VirtualTime
  readonly network: MemoryNetwork
  readonly cluster: EmbeddedCluster
  readonly brokers: readonly number[]
  readonly isReplicated: boolean
  readonly dice: Dice
  readonly hosts: () => readonly string[]
}

/** Resolves when the last fault has ended; rejects if one cannot strike or end. */
export async function storm(surroundings: StormSurroundings, options: StormOptions): Promise<void> {
  const { time, network, cluster, brokers, dice, isReplicated } = surroundings
  const { everyMs = 1000, kinds = faultKinds, groups = [], transactionalIds = [], aimed = 0 } = options
  const wait = options.wait ?? ((ms: number) => time.sleep(ms))
  const ongoing = new Map<number, { readonly end: () => Promise<void> | void; readonly timer: Timer }>()
  const ended: Promise<void>[] = []
  const down = new Set<number>()
  const fenced = new Set<number>()
  const finish = async (number: number): Promise<void> => {
    const fault = ongoing.get(number)
    ongoing.delete(number)
    fault?.timer.cancel()
    await fault?.end()
  }
  const until = time.now + options.ms
  for (let number = 0; ; number++) {
    // Each fault has dice of its own, so that one that is left out changes no other.
    const own = dice.of(`fault ${number}`)
    await wait(own.next() * 2 * everyMs)
    const aim = aimed > 0 && own.chance(aimed) ? await nextOnItsWay(time, network, own) : null
    if (time.now >= until) break
    const kind = own.pick(kinds)
    if (options.without?.has(number) === true) continue
    const hosts = (options.hosts ?? surroundings.hosts)()
    const target = { cluster, network, hosts, brokers, groups, transactionalIds, down, fenced, isReplicated, aim }
    const struck = strike(kind, target, own)
    if (struck === null) continue
    plan(number, struck)
    options.onFault?.({ number, kind, what: struck.what, lastsMs: struck.lasts ?? 0 })
    await struck.begun
  }
  for (const number of [...ongoing.keys()]) await finish(number)
  await Promise.all(ended)
  network.heal()
  cluster.clearFaults()

  function plan(number: number, { end, lasts = 0 }: Struck): void {
    if (end === undefined) return
    ongoing.set(number, { end, timer: time.setTimer(lasts, () => finishInTime(number)) })
  }

  function finishInTime(number: number): void {
    const finished = finish(number)
    // The storm rejects with it when it is over.
    finished.catch(() => undefined)
    ended.push(finished)
  }
}
