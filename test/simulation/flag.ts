/** Something that happens once, and that others ask for after each wait. */
export class Flag {
  #isSet = false

  set(): void {
    this.#isSet = true
  }

  isSet(): boolean {
    return this.#isSet
  }
}
