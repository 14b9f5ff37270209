/** Makes a failing run smaller: less time, fewer clients, fewer faults, as long as it still fails. */
import type { Plan } from './plan.ts'
import type { Outcome } from './world.ts'

export interface Shrunk {
  readonly outcome: Outcome
  readonly runs: number
}

/**
 * @param run - plays a plan
 * @param mostRuns - gives up to make it smaller after so many
 */
export async function shrink(
  failed: Outcome,
  run: (plan: Plan) => Promise<Outcome>,
  mostRuns: number,
): Promise<Shrunk> {
  let best = failed
  let runs = 0
  const fails = async (plan: Plan): Promise<boolean> => {
    if (runs >= mostRuns) return false
    runs++
    const outcome = await run(plan)
    if (outcome.complaints.length === 0) return false
    best = outcome
    return true
  }
  while (best.plan.minutes > 0.1 && (await fails({ ...best.plan, minutes: best.plan.minutes / 2 })));
  for (const most of [1, 2]) if (await fails({ ...best.plan, most })) break
  // First without half of the faults, then without a quarter, and so on.
  let part = Math.ceil(best.faults.length / 2)
  while (part >= 1 && runs < mostRuns) {
    let isLess = false
    for (let from = 0; from < best.faults.length && runs < mostRuns;) {
      const left = best.faults.slice(from, from + part).map(({ number }) => number)
      if (await fails({ ...best.plan, without: [...best.plan.without, ...left] })) isLess = true
      else from += part
    }
    if (part === 1 && !isLess) break
    part = part === 1 ? 1 : Math.ceil(part / 2)
    if (best.faults.length === 0) break
  }
  return { outcome: best, runs }
}
