/** The topics and patterns that a program has subscribed to, each with where to begin. Pure. */

export class Subscriptions {
  readonly #names = new Map<string, boolean>()
  readonly #patterns: { readonly pattern: RegExp; readonly fromBeginning: boolean }[] = []

  add(subscription: string | RegExp, fromBeginning: boolean): void {
    if (typeof subscription === 'string') {
      this.#names.set(subscription, fromBeginning)
      return
    }
    // A global or sticky pattern remembers where it has matched.
    const pattern = new RegExp(subscription.source, subscription.flags.replace(/[gy]/g, ''))
    this.#patterns.push({ pattern, fromBeginning })
  }

  get isEmpty(): boolean {
    return this.#names.size === 0 && this.#patterns.length === 0
  }

  get names(): string[] {
    return [...this.#names.keys()]
  }

  /** For `consumer.subscribe`. */
  get terms(): (string | RegExp)[] {
    // A name is never a pattern here, whatever it begins with.
    const names = this.names.map(name => (name.startsWith('^') ? new RegExp(`^${escaped(name)}$`) : name))
    return [...names, ...this.#patterns.map(({ pattern }) => pattern)]
  }

  includes(topic: string): boolean {
    return this.#beginning(topic) !== undefined
  }

  /** Whether a topic without a committed offset is read from its first message. */
  fromBeginning(topic: string): boolean {
    return this.#beginning(topic) ?? false
  }

  /** Where all of them begin; null if they do not all begin in the same place. */
  get commonBeginning(): boolean | null {
    const all = [...this.#names.values(), ...this.#patterns.map(({ fromBeginning }) => fromBeginning)]
    const [first = false] = all
    return all.every(each => each === first) ? first : null
  }

  #beginning(topic: string): boolean | undefined {
    // Of several that match, the last subscription counts.
    const byPattern = this.#patterns.findLast(({ pattern }) => pattern.test(topic))
    return this.#names.get(topic) ?? byPattern?.fromBeginning
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
