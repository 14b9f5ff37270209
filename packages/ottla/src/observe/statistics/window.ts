/** The distribution of a quantity since the last statistics: librdkafka's "window stats". */
import type { WindowStatistics } from '../../statistics.ts'

// Smaller values are counted exactly; above, each doubling has half as many classes: an error of 1.6 % at most.
const EXACT = 128
const CLASSES_PER_DOUBLING = 64
const LARGEST = 2 ** 31 - 1
const CLASSES = EXACT + (31 - 7) * CLASSES_PER_DOUBLING

/** How to read a window. */
export type ReadWindow = (window: Window) => WindowStatistics

/** Starts a new one. */
export const takeWindow: ReadWindow = window => window.take()
/** Changes nothing. */
export const lookAtWindow: ReadWindow = window => window.look()

/** Takes one value per request or batch; allocates its memory with the first. */
export class Window {
  readonly #isOn: boolean
  #classes: Uint32Array | null = null
  #count = 0
  #sum = 0
  #min = 0
  #max = 0
  #outOfRange = 0

  /** @param isOn - false: nobody will take it, so it stays empty */
  constructor(isOn = true) {
    this.#isOn = isOn
  }

  /** @param value - rounded down; from 2^31 on only counted as out of range */
  add(value: number): void {
    if (!this.#isOn) return
    if (!(value <= LARGEST)) {
      this.#outOfRange++
      return
    }
    const whole = value > 0 ? Math.floor(value) : 0
    this.#classes ??= new Uint32Array(CLASSES)
    const index = classOf(whole)
    this.#classes[index] = (this.#classes[index] ?? 0) + 1
    if (this.#count === 0 || whole < this.#min) this.#min = whole
    if (whole > this.#max) this.#max = whole
    this.#count++
    this.#sum += whole
  }

  /** The distribution since the last call; starts a new window. */
  take(): WindowStatistics {
    const taken = this.look()
    this.#classes?.fill(0)
    this.#count = 0
    this.#sum = 0
    this.#min = 0
    this.#max = 0
    this.#outOfRange = 0
    return taken
  }

  /** The distribution so far. */
  look(): WindowStatistics {
    const classes = this.#classes
    const count = this.#count
    const at = classes === null || count === 0 ? () => 0 : this.#percentiles(classes)
    const average = count === 0 ? 0 : this.#sum / count
    return {
      min: this.#min,
      max: this.#max,
      avg: Math.floor(average),
      sum: this.#sum,
      cnt: count,
      stddev: classes === null || count === 0 ? 0 : Math.floor(deviation(classes, average, count)),
      hdrsize: classes?.byteLength ?? 0,
      p50: at(50),
      p75: at(75),
      p90: at(90),
      p95: at(95),
      p99: at(99),
      p99_99: at(99.99),
      outofrange: this.#outOfRange,
    }
  }

  // The returned function takes percentages in ascending order.
  #percentiles(classes: Uint32Array): (percent: number) => number {
    let seen = 0
    let index = -1
    return percent => {
      const wanted = Math.max(1, Math.ceil((this.#count * percent) / 100))
      while (seen < wanted && index < CLASSES - 1) seen += classes[++index] ?? 0
      return Math.min(upperOf(index), this.#max)
    }
  }
}

function classOf(value: number): number {
  if (value < EXACT) return value
  const shift = 25 - Math.clz32(value)
  return EXACT + (shift - 1) * CLASSES_PER_DOUBLING + (value >> shift) - CLASSES_PER_DOUBLING
}

/** The largest value of a class. */
function upperOf(index: number): number {
  if (index < EXACT) return index
  const shift = Math.floor((index - EXACT) / CLASSES_PER_DOUBLING) + 1
  const lower = CLASSES_PER_DOUBLING + ((index - EXACT) % CLASSES_PER_DOUBLING)
  return (lower + 1) * 2 ** shift - 1
}

function deviation(classes: Uint32Array, average: number, count: number): number {
  let squares = 0
  for (let i = 0; i < CLASSES; i++) {
    const n = classes[i] ?? 0
    if (n > 0) squares += n * (upperOf(i) - average) ** 2
  }
  return Math.sqrt(squares / count)
}
