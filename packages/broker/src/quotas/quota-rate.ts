// Kafka's defaults for quota.window.num and quota.window.size.seconds.
const SAMPLES = 11
const SAMPLE_MS = 1000

/** A rate as Kafka measures it: over eleven samples of a second. */
export class QuotaRate {
  #samples: { readonly start: number; sum: number }[] = []

  record(amount: number, now: number): void {
    this.#drop(now)
    const last = this.#samples.at(-1)
    if (last !== undefined && now - last.start < SAMPLE_MS) last.sum += amount
    else this.#samples.push({ start: now, sum: amount })
  }

  /** How long until the rate is down to the limit if nothing else is recorded, ms. @param limit per second */
  throttleMs(limit: number, now: number): number {
    this.#drop(now)
    const windowMs = this.#windowMs(now)
    const rate = (this.#samples.reduce((sum, sample) => sum + sample.sum, 0) * 1000) / windowMs
    return rate > limit ? Math.round(((rate - limit) / limit) * windowMs) : 0
  }

  /** Whether no sample is left. */
  isIdle(now: number): boolean {
    this.#drop(now)
    return this.#samples.length === 0
  }

  #drop(now: number): void {
    const oldest = now - SAMPLES * SAMPLE_MS
    if ((this.#samples[0]?.start ?? now) <= oldest) this.#samples = this.#samples.filter(({ start }) => start > oldest)
  }

  // Never less than ten seconds, so that bursts are possible.
  #windowMs(now: number): number {
    const elapsed = now - (this.#samples[0]?.start ?? now)
    const missing = SAMPLES - 1 - Math.floor(elapsed / SAMPLE_MS)
    return elapsed + Math.max(0, missing) * SAMPLE_MS
  }
}

/** Largest burst that is not throttled. @param limit per second */
export function maxBurst(limit: number): number {
  return limit * (SAMPLES - 1)
}
