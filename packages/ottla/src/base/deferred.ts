/** A promise that can be settled from outside. */
export class Deferred<T> {
  readonly promise: Promise<T>
  #resolve!: (value: T) => void // set by the executor below, which runs before the constructor ends
  #reject!: (reason: Error) => void // likewise
  #settled = false

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  get settled(): boolean {
    return this.#settled
  }

  resolve(value: T): void {
    this.#settled = true
    this.#resolve(value)
  }

  reject(reason: Error): void {
    this.#settled = true
    this.#reject(reason)
  }
}
