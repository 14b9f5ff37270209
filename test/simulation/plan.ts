/** What decides a run: printed when it fails, so that anybody can play it again. */
import type { Tempo } from './tempo.ts'

export interface Plan {
  readonly workload: string
  readonly seed: number
  readonly tempo: Tempo
  /** Virtual minutes of faults. */
  readonly minutes: number
  /** Numbers of faults that are left out. */
  readonly without: readonly number[]
  /** At most so many clients of a kind; Infinity: as many as the seed says. */
  readonly most: number
}

/** The command that plays a run again. */
export function commandOf({ workload, seed, tempo, minutes, without, most }: Plan): string {
  const more = [
    ...(without.length > 0 ? [`--without ${ranges(without)}`] : []),
    ...(most === Infinity ? [] : [`--most ${most}`]),
  ]
  return [
    'npm run simulate --',
    `--workload ${workload} --seed ${seed} --tempo ${tempo} --minutes ${minutes}`,
    ...more,
  ].join(' ')
}

/** `0-4,7` for 0, 1, 2, 3, 4 and 7. */
export function ranges(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b)
  const parts: string[] = []
  for (let i = 0; i < sorted.length;) {
    let j = i
    while (sorted[j + 1] === (sorted[j] ?? 0) + 1) j++
    parts.push(i === j ? `${sorted[i]}` : `${sorted[i]}-${sorted[j]}`)
    i = j + 1
  }
  return parts.join(',')
}

/** Of `0-4,7`. */
export function numbersOf(text: string): number[] {
  return text.split(',').flatMap(part => {
    const [first = 0, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
}
