/** What was true when. */

interface Moment<S> {
  readonly from: number
  readonly state: S
}

export class Timeline<S extends string> {
  readonly #moments: Moment<S>[]

  /** @param state - since ever */
  constructor(state: S) {
    this.#moments = [{ from: -Infinity, state }]
  }

  get state(): S {
    return this.#last.state
  }

  /** Since when, virtual ms. */
  get since(): number {
    return this.#last.from
  }

  set(state: S, now: number): void {
    this.#moments.push({ from: now, state })
  }

  /** The state of a whole span of time; null if there was more than one. */
  during(from: number, until: number): S | null {
    const states = new Set(this.#within(from, until).map(({ state }) => state))
    const [only] = states
    return states.size === 1 && only !== undefined ? only : null
  }

  /** Since when it was in this state at some moment of a span of time; null if it was not. */
  firstSince(state: S, from: number, until: number): number | null {
    return this.#within(from, until).find(moment => moment.state === state)?.from ?? null
  }

  get #last(): Moment<S> {
    return this.#moments.at(-1) as Moment<S> // there is one from the beginning
  }

  #within(from: number, until: number): readonly Moment<S>[] {
    return this.#moments.filter((moment, i) => {
      const end = this.#moments[i + 1]?.from ?? Infinity
      return moment.from <= until && end > from
    })
  }
}
