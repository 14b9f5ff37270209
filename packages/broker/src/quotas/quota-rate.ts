// quota.window.num and quota.window.size.seconds of a broker.
const SAMPLES = 11
const SAMPLE_MS = 1000

/** How much of something there has been lately, reckoned as a broker does: in samples of a second, eleven of them. */
export class QuotaRate {
  #samples: { readonly start: number; sum: number }[] = []

  record(amount: number, now: number): void {
    this.#drop(now)
    const last = this.#samples.at(-1)
    if (last !== undefined && now - last.start < SAMPLE_MS) last.sum += amount
    else this.#samples.push({ start: now, sum: amount })
  }

  /** Time until the rate is down to the limit again if nothing else comes, ms. @param limit per second */
  throttleMs(limit: number, now: number): number {
    this.#drop(now)
    const windowMs = this.#windowMs(now)
    const rate = (this.#samples.reduce((sum, sample) => sum + sample.sum, 0) * 1000) / windowMs
    return rate > limit ? Math.round(((rate - limit) / limit) * windowMs) : 0
  }

  /** Nothing is left that would count. */
  isIdle(now: number): boolean {
    this.#drop(now)
    return this.#samples.length === 0
  }

  #drop(now: number): void {
    const oldest = now - SAMPLES * SAMPLE_MS
    if ((this.#samples[0]?.start ?? now) <= oldest) this.#samples = this.#samples.filter(({ start }) => start > oldest)
  }

  // Never less than ten seconds, so that something can come at once.
  #windowMs(now: number): number {
    const elapsed = now - (this.#samples[0]?.start ?? now)
    const missing = SAMPLES - 1 - Math.floor(elapsed / SAMPLE_MS)
    return elapsed + Math.max(0, missing) * SAMPLE_MS
  }
}

/** Most that can come at once without being held up. @param limit per second */
export function mostAtOnce(limit: number): number {
  return limit * (SAMPLES - 1)
}
