/** Clients that come, leave and crash. */
import type { Dice } from '@ottla/broker/simulation'
import { Flag } from './flag.ts'
import type { World } from './world.ts'

/** One client. */
export interface Life {
  readonly name: string
  /** Leaves in peace. @param atRest - while it asks for more, with everything before done */
  leave(atRest?: boolean): Promise<void>
  /** Its host is gone. */
  crash(): Promise<void>
  explain(): string
}

const LEAVE_LIMIT_MS = 180_000
const MOST_AT_ONCE = 4
const CRASHES = 0.4

export class Churn<L extends Life> {
  readonly #world: World
  readonly #dice: Dice
  readonly #kind: string
  readonly #make: (name: string) => L
  readonly #crashes: number
  readonly #lives = new Map<string, L>()
  readonly #endings: Promise<unknown>[] = []
  #made = 0
  readonly #over = new Flag()
  #turning: Promise<void> = Promise.resolve()

  /** @param crashes - how many of those that go crash, 0 to 1 */
  constructor(world: World, kind: string, make: (name: string) => L, crashes = CRASHES) {
    this.#world = world
    this.#dice = world.simulation.dice(`${kind} churn`)
    this.#kind = kind
    this.#make = make
    this.#crashes = crashes
  }

  get lives(): readonly L[] {
    return [...this.#lives.values()]
  }

  get names(): readonly string[] {
    return [...this.#lives.keys()]
  }

  begin(count: number): void {
    for (let i = 0; i < count; i++) this.#spawn()
    this.#turning = this.#turn()
  }

  /** Nobody comes or goes any more; at least one stays. */
  async settleDown(): Promise<void> {
    this.#over.set()
    await this.#turning
    if (this.#lives.size === 0) this.#spawn()
  }

  /** All leave. */
  async end(): Promise<void> {
    for (const life of this.lives) await this.#world.settle(life.leave(true), LEAVE_LIMIT_MS, `the end of ${life.name}`)
    this.#lives.clear()
    for (const ending of this.#endings) await ending
  }

  #spawn(): void {
    const name = `${this.#kind}-${++this.#made}`
    this.#lives.set(name, this.#make(name))
  }

  async #turn(): Promise<void> {
    while (!this.#over.isSet()) {
      await this.#world.nextAct(this.#dice.int(1000, 30_000))
      if (this.#over.isSet()) return
      if (this.#lives.size < Math.min(MOST_AT_ONCE, this.#world.plan.most) && this.#dice.chance(0.5)) this.#spawn()
      else if (this.#lives.size > 1) this.#take(this.#dice.pick(this.lives))
    }
  }

  #take(life: L): void {
    this.#lives.delete(life.name)
    const crashes = this.#dice.chance(this.#crashes)
    this.#world.note(`${life.name} ${crashes ? 'crashes' : 'leaves'}`)
    const ending = crashes ? life.crash() : life.leave()
    this.#endings.push(this.#world.settle(ending, LEAVE_LIMIT_MS, `the end of ${life.name}`))
  }
}
