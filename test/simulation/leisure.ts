/** Programs that take their time: for a message, longer than a session or than they may, and in rebalance callbacks. */
import type { Dice } from '@ottla/broker/simulation'
import type { World } from './world.ts'

/** Longer than a short session, and shorter than anything waits for a handler. */
const LONG_MS = { least: 7000, most: 20_000 } as const
const LONGEST_CALLBACK_MS = 5000
const LONG_MESSAGES = 0.01

export class Leisure {
  /** Some messages take long. */
  readonly hasLongMessages: boolean
  readonly hasSlowCallbacks: boolean
  readonly #world: World
  readonly #dice: Dice
  readonly #until: number
  readonly #isQuiet: boolean

  /** @param until - virtual ms; from then on it is as quick as any */
  constructor(world: World, name: string, until: number, isQuiet: boolean) {
    this.#world = world
    this.#dice = world.simulation.dice(`${name}'s leisure`)
    this.#until = until
    this.#isQuiet = isQuiet
    this.hasLongMessages = this.#dice.chance(0.25) && until > 0
    this.hasSlowCallbacks = this.#dice.chance(0.3) && until > 0
  }

  /** The limit of such a program, `max.poll.interval.ms`; null: the usual one, which it does not reach. */
  limitMs(sessionMs: number): number | null {
    return this.hasLongMessages && !this.#isQuiet ? Math.max(sessionMs, LONG_MS.most) : null
  }

  /** How much longer this message takes. */
  async withMessage(limitMs: number | null): Promise<void> {
    if (!this.hasLongMessages || this.#world.now > this.#until || !this.#dice.chance(LONG_MESSAGES)) return
    const isTooLong = limitMs !== null && this.#dice.chance(0.5)
    const ms = this.#dice.int(LONG_MS.least, LONG_MS.most)
    await this.#world.sleep(isTooLong ? limitMs + ms : ms)
  }

  async withCallback(): Promise<void> {
    await this.#world.sleep(this.#dice.int(0, LONGEST_CALLBACK_MS))
  }
}
