/** Answers of the registry, kept: the least recently used go first, and questions asked at once are asked once. */

export class AnswerCache<K, V> {
  readonly #answers = new Map<K, { readonly value: V; readonly until: number }>()
  readonly #pending = new Map<K, Promise<V>>()
  readonly #size: number
  readonly #ttlMs: number

  /** @param ttlMs how long an answer holds */
  constructor(size: number, ttlMs = Infinity) {
    this.#size = size
    this.#ttlMs = ttlMs
  }

  /** What is known now. */
  peek(key: K): V | undefined {
    const known = this.#answers.get(key)
    return known !== undefined && holds(known.until) ? known.value : undefined
  }

  async get(key: K, ask: () => Promise<V>): Promise<V> {
    const known = this.#answers.get(key)
    if (known !== undefined && holds(known.until)) {
      this.#answers.delete(key)
      this.#answers.set(key, known)
      return known.value
    }
    const pending = this.#pending.get(key)
    if (pending !== undefined) return pending
    const asked = ask()
      .then(value => {
        this.put(key, value)
        return value
      })
      .finally(() => this.#pending.delete(key))
    this.#pending.set(key, asked)
    return asked
  }

  put(key: K, value: V): void {
    this.#answers.delete(key)
    this.#answers.set(key, { value, until: this.#ttlMs === Infinity ? Infinity : Date.now() + this.#ttlMs })
    if (this.#answers.size <= this.#size) return
    const [oldest] = this.#answers.keys()
    this.#answers.delete(oldest as K)
  }

  clear(): void {
    this.#answers.clear()
  }
}

/** What holds for ever needs no look at the clock, which costs as much as reading a field. */
function holds(until: number): boolean {
  return until === Infinity || until >= Date.now()
}
