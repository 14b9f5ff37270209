/** Plays plans in another process, which can be ended when it hangs: a client that spins stops virtual time. */
import { fork, type ChildProcess } from 'node:child_process'
import type { Plan } from './plan.ts'
import type { Outcome } from './world.ts'

/** A run of so many virtual minutes takes less, by far; real ms. */
const LEAST_LIMIT_MS = 60_000
const LIMIT_MS_PER_MINUTE = 30_000
/** Then another process takes over, whatever has gathered in this one. */
const MOST_RUNS = 500

/** The same, without what only one's own process needs. */
export type Result = Omit<Outcome, 'trace'> & { readonly digest: string }

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
    const child = (this.#child ??= fork(this.#script, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }))
    return new Promise(resolve => {
      const fail = (why: string): void => {
        this.close()
        settle({ plan, complaints: [why], faults: [], ms: 0, digest: '' })
      }
      const limitMs = LEAST_LIMIT_MS + plan.minutes * LIMIT_MS_PER_MINUTE
      const timeout = setTimeout(
        () => fail(`it has not ended after ${limitMs / 1000} real seconds: something spins`),
        limitMs,
      )
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
