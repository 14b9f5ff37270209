/** A value of its own for each broker, made on first use. */
export class PerBroker<T> {
  readonly #make: () => T
  readonly #all = new Map<number, T>()

  constructor(make: () => T) {
    this.#make = make
  }

  of(brokerId: number): T {
    let own = this.#all.get(brokerId)
    if (own === undefined) this.#all.set(brokerId, (own = this.#make()))
    return own
  }
}
