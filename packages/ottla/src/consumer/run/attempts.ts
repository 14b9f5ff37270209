/** Processes one message: the handler and its timeout, retries, and the dead-letter topic. */
import { ErrorCode } from '@ottla/protocol'
import { backoffMs } from '../../base/backoff.ts'
import { sleep, type Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { KafkaError } from '../../errors.ts'
import type { ChannelClient } from '../../observe/channel-payloads.ts'
import type { Message } from '../../types.ts'
import type { RunningJobs } from '../read/running-jobs.ts'
import { decodeMessage, isTransient, type Decoding } from '../read/decoding.ts'
import { sendDeadLetter } from './dead-letter.ts'
import { asError, deadLetterFailed } from './failure.ts'
import type { RunOptions, RunSettings } from './options.ts'
import type { Task } from './partition-work.ts'
import { tracedMessage } from './process-traces.ts'

export interface AttemptsHost {
  readonly client: ChannelClient
  readonly clock: Clock
  readonly random: Random
  readonly runningJobs: RunningJobs
  readonly decoding: Decoding | null
}

/**
 * `abandoned`: the next reader starts it from the beginning; `again`: it could not be started yet; `later`: nor now, as it
 * cannot be deserialized for a reason that passes.
 */
export type Outcome = 'done' | 'abandoned' | 'again' | 'later'

export class Attempts<K, V> {
  readonly #host: AttemptsHost
  readonly #options: RunOptions<K, V>
  readonly #settings: RunSettings

  constructor(host: AttemptsHost, options: RunOptions<K, V>, settings: RunSettings) {
    this.#host = host
    this.#options = options
    this.#settings = settings
  }

  /** Rejects with an error when the message could neither be processed nor sent as a dead letter. */
  async work(task: Task): Promise<Outcome> {
    const { partition, message } = task
    const { retries, backoffMs: first, backoffMaxMs } = this.#settings
    const { clock, random } = this.#host
    let attempt = 1
    let why: unknown
    try {
      if (task.given === undefined && !(await this.#decoded(task))) return 'later'
      if (isLost(task) || isStale(task)) return 'abandoned'
      // It may have been paused while deserializers were running.
      if (message.cursor.paused && !partition.isDraining) return 'again'
      for (; ; attempt++) {
        try {
          await this.#attempt(task, attempt)
          return 'done'
        } catch (error) {
          if (isLost(task)) return 'abandoned'
          if (attempt > retries || isStale(task)) throw error
        }
        const backoff = sleep(clock, backoffMs(attempt, first, backoffMaxMs, random), partition.draining)
        const isOver = await backoff.then(
          () => true,
          () => false,
        )
        if (!isOver || isStale(task)) return 'abandoned'
      }
    } catch (error) {
      why = error
    }
    const culprit = nameOf(task)
    const { deadLetter } = this.#options
    if (deadLetter === undefined) throw asError(why, culprit)
    try {
      await this.#call(task, () => sendDeadLetter(message, why, attempt, deadLetter), true)
    } catch (error) {
      const sendFailure = asError(error, 'the dead-letter producer')
      throw deadLetterFailed(culprit, deadLetter.topic, asError(why, culprit), sendFailure)
    }
    return 'done'
  }

  /** False if it has to wait: neither a failed attempt nor a dead letter comes of that. */
  async #decoded(task: Task): Promise<boolean> {
    const { decoding } = this.#host
    const { message } = task
    const { cursor } = message
    try {
      if (decoding === null) task.given = message
      else task.given = await this.#call(task, async () => decodeMessage(message, decoding))
    } catch (error) {
      if (!isTransient(error)) throw error
      cursor.waitsFor = error
      return false
    }
    cursor.waitsFor = null
    return true
  }

  #attempt(task: Task, attempt: number): Promise<void> {
    const { client } = this.#host
    const { handler } = this.#options
    const { handlerTimeoutMs } = this.#settings
    const given = task.given as Message<K, V> // the deserializers make K and V
    if (handlerTimeoutMs !== undefined) return this.#attemptWithin(handlerTimeoutMs, task, given, attempt)
    const context = { attempt, signal: task.partition.over, heartbeat: () => this.#heartbeat(task) }
    const handle = (): void | Promise<void> => handler(given, context)
    return this.#call(task, tracedMessage(client, given, attempt, handle), true)
  }

  async #attemptWithin(ms: number, task: Task, given: Message<K, V>, attempt: number): Promise<void> {
    const { handler } = this.#options
    const { partition } = task
    const abort = partition.beginAttempt()
    const { signal } = abort
    const late = (): Error => {
      const why = `${nameOf(task)} took longer than handlerTimeoutMs=${ms}`
      const error = new KafkaError(ErrorCode.ERR__TIMED_OUT, why)
      abort.abort(error)
      return error
    }
    try {
      const context = { attempt, signal, heartbeat: () => this.#heartbeat(task) }
      const { client, clock } = this.#host
      const work = (): Promise<void> => limited(clock, handler(given, context), ms, late)
      await this.#call(task, tracedMessage(client, given, attempt, work), true)
    } finally {
      partition.endAttempt(abort)
    }
  }

  #heartbeat({ job }: Task): void {
    if (job !== null) this.#host.runningJobs.touch(job)
  }

  /** Calls the application, with a job for as long as that takes. @param isLast the message is done afterwards */
  #call<T>(task: Task, work: () => T | Promise<T>, isLast = false): Promise<T> {
    const { cursor, offset } = task.message
    return this.#host.runningJobs.perform(task, cursor, offset, work, isLast)
  }
}

/** Its partition has been given up. */
function isLost({ partition }: Task): boolean {
  return partition.isReleased
}

/** The position has moved since. */
function isStale({ message }: Task): boolean {
  return message.isStale
}

function nameOf({ message: { cursor, offset } }: Task): string {
  return `the handler of ${cursor.name} at offset ${offset}`
}

/** Settles as `work` does, unless that takes too long; its result is then ignored. */
export function limited<T>(clock: Clock, work: T | Promise<T>, ms: number, late: () => Error): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = clock.setTimer(ms, () => reject(late()))
    void Promise.resolve(work)
      .then(resolve, (error: unknown) => reject(error as Error)) // whatever the application has thrown
      .finally(() => timer.cancel())
  })
}
