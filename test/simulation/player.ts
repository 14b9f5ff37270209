/** Plays plans in another process, which can be ended when it hangs: a client that spins stops virtual time. */
import { fork, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Plan } from './plan.ts'
import type { Outcome } from './world.ts'

/** A run of so many virtual minutes takes less, by far; ms of CPU time. */
const LEAST_LIMIT_MS = 60_000
const LIMIT_MS_PER_MINUTE = 30_000
/** On a machine that is so much busier than it should be, nobody waits any longer. */
const MOST_LIMITS = 20
/** Linux counts CPU time in ticks of so many ms. */
const TICK_MS = 10
/** Most of what a run makes is gone soon after. */
const options = ['--max-semi-space-size=64']
/** Then another process takes over, whatever has gathered in this one. */
const MOST_RUNS = 500

/** The same, without what only one's own process needs. */
export type Result = Omit<Outcome, 'trace'> & { readonly digest: string; readonly cpuMs: number }

export class Player {
  readonly #script: string
  #child: ChildProcess | null = null
  #runs = 0

  /** @param script - a module that answers each plan it is sent with its outcome */
  constructor(script: string) {
    this.#script = script
  }

  /** Plays a plan. A run that hangs, or ends the process, is one that fails. */
  play(plan: Plan): Promise<Result> {
    if (this.#runs === MOST_RUNS) this.close()
    this.#runs++
    const child = (this.#child ??= fork(this.#script, {
      execArgv: options,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    }))
    return new Promise(resolve => {
      const fail = (why: string): void => {
        this.close()
        settle({ plan, complaints: [why], faults: [], ms: 0, digest: '', cpuMs: 0 })
      }
      const limitMs = LEAST_LIMIT_MS + plan.minutes * LIMIT_MS_PER_MINUTE
      const cpuMs = cpuMsOf(child)
      let limits = 0
      const check = (): void => {
        limits++
        if (cpuMs !== null && (cpuMsOf(child) ?? 0) - cpuMs < limitMs && limits < MOST_LIMITS)
          timeout = setTimeout(check, limitMs)
        else fail(`it has not ended after ${limitMs / 1000} s of CPU time: something spins`)
      }
      let timeout = setTimeout(check, limitMs)
      const onExit = (code: number | null): void => fail(`the process has ended with status ${code ?? 'none'}`)
      const settle = (result: Result): void => {
        clearTimeout(timeout)
        child.off('message', settle).off('exit', onExit)
        // Its plan has been through JSON.
        resolve({ ...result, plan })
      }
      child.on('message', settle).on('exit', onExit)
      // JSON has no Infinity.
      child.send({ ...plan, most: Number.isFinite(plan.most) ? plan.most : null })
    })
  }

  close(): void {
    this.#child?.kill('SIGKILL')
    this.#child = null
    this.#runs = 0
  }
}

/** What a process has used so far, ms; null where the system does not tell. */
function cpuMsOf({ pid }: ChildProcess): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Behind the name of the program, from the third field on; the 14th and 15th are utime and stime.
    const [user, system] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13)
      .map(Number)
    return user === undefined || system === undefined ? null : (user + system) * TICK_MS
  } catch {
    return null
  }
}
