/** A double-ended queue with constant-time ends, on one array that doubles when it is full. */
export class Ring<T> {
  #items: (T | undefined)[] = new Array<T | undefined>(16)
  #mask = 15
  #head = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  push(item: T): void {
    if (this.#length > this.#mask) this.#grow()
    this.#items[(this.#head + this.#length) & this.#mask] = item
    this.#length++
  }

  /** Puts an item before all others. */
  unshift(item: T): void {
    if (this.#length > this.#mask) this.#grow()
    this.#head = (this.#head - 1) & this.#mask
    this.#items[this.#head] = item
    this.#length++
  }

  /** The item `index` places from the front, or undefined. */
  peek(index = 0): T | undefined {
    return index < this.#length ? this.#items[(this.#head + index) & this.#mask] : undefined
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head] = undefined
    this.#head = (this.#head + 1) & this.#mask
    this.#length--
    return item
  }

  clear(): void {
    this.#items = new Array<T | undefined>(16)
    this.#mask = 15
    this.#head = 0
    this.#length = 0
  }

  #grow(): void {
    const capacity = (this.#mask + 1) * 2
    const items = new Array<T | undefined>(capacity)
    for (let i = 0; i < this.#length; i++) items[i] = this.#items[(this.#head + i) & this.#mask]
    this.#items = items
    this.#mask = capacity - 1
    this.#head = 0
  }
}
