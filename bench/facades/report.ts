/** The table of bench/facades.md. */
import type { Measured, Work } from './meter.ts'

export interface Pair {
  readonly old: string
  readonly facade: string
}

/**
 * @param results of all rounds, by `<work> <client>`
 * @param surroundings what was measured, and where
 */
export function report(
  results: ReadonlyMap<string, readonly Measured[]>,
  pairs: readonly Pair[],
  works: readonly Work[],
  surroundings: readonly string[],
): string {
  const rows = pairs.flatMap(pair => works.map(work => row(pair, work, results)))
  return [
    '# The old clients, and the packages that stand in for them',
    '',
    ...surroundings,
    '',
    '| old client | work | messages/s, old | new | | CPU per message, old | new | |',
    '| --- | --- | --: | --: | --: | --: | --: | --: |',
    ...rows,
    '',
  ].join('\n')
}

function row({ old, facade }: Pair, work: Work, results: ReadonlyMap<string, readonly Measured[]>): string {
  const median = (client: string, of: (each: Measured) => number): number => {
    const sorted = (results.get(`${work} ${client}`) ?? []).map(of).sort((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)] ?? NaN
  }
  const perSecond = ({ perSecond: value }: Measured): number => value
  const cpuMicros = ({ cpuMicros: value }: Measured): number => value
  const [before, after] = [median(old, perSecond), median(facade, perSecond)]
  const [cpuBefore, cpuAfter] = [median(old, cpuMicros), median(facade, cpuMicros)]
  const cells = [
    old,
    work,
    Math.round(before).toLocaleString('en'),
    Math.round(after).toLocaleString('en'),
    `${(after / before).toFixed(1)} times`,
    `${cpuBefore.toFixed(2)} µs`,
    `${cpuAfter.toFixed(2)} µs`,
    `${Math.round((100 * cpuAfter) / cpuBefore)} %`,
  ]
  return `| ${cells.join(' | ')} |`
}
