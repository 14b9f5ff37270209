/** What a client says about missing rights and wrong passwords: when it begins, and ever more rarely. */
import { ErrorCode, type KafkaError } from 'ottla'
import { inWords, type World } from './world.ts'

const WINDOW_MS = 10_000
/** A lasting error is reported four times in ten seconds, by each of those that may meet it. */
const MOST_IN_WINDOW = 20

const heeded: ReadonlySet<number> = new Set([
  ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED,
  ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED,
  ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED,
  ErrorCode.ERR__AUTHENTICATION,
])

export class Voice {
  readonly #world: World
  readonly #name: string
  /** Moments by text, virtual ms. */
  readonly #said = new Map<string, number[]>()
  /** The last moment of each code. */
  readonly #last = new Map<number, number>()

  constructor(world: World, name: string) {
    this.#world = world
    this.#name = name
  }

  heard(error: KafkaError): void {
    const { now } = this.#world
    if (error.isFatal) this.#world.complain(`${this.#name} has ended: ${inWords(error)}`)
    if (!heeded.has(error.code)) return
    this.#world.note(`${this.#name} says ${inWords(error)}`)
    this.#last.set(error.code, now)
    const moments = (this.#said.get(error.message) ?? []).filter(at => at > now - WINDOW_MS)
    moments.push(now)
    this.#said.set(error.message, moments)
    if (moments.length === MOST_IN_WINDOW + 1)
      this.#world.complain(`${this.#name} has said ${moments.length} times in ${WINDOW_MS / 1000} s: ${inWords(error)}`)
  }

  hasSaid(code: number, since: number): boolean {
    return (this.#last.get(code) ?? -Infinity) >= since
  }
}
