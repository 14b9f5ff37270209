/** A process that plays the plans it is sent. */
import { createHash } from 'node:crypto'
import type { Plan } from './plan.ts'
import { workloads } from './workloads/all.ts'
import { inWords, runPlan } from './world.ts'

// Storms make many errors, and nobody reads where they come from: a trace of the seed tells.
Error.stackTraceLimit = 0

process.on('message', (sent: Omit<Plan, 'most'> & { readonly most: number | null }) => {
  const plan = { ...sent, most: sent.most ?? Infinity }
  void play(plan).then(result => process.send?.(result))
})

async function play(plan: Plan) {
  const workload = workloads[plan.workload]
  if (workload === undefined) throw new Error(`there is no workload ${plan.workload}`)
  const before = process.cpuUsage()
  const cpuMs = (): number => {
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  }
  try {
    const { trace, ...outcome } = await runPlan(plan, workload)
    const digest = createHash('sha256').update(trace.join('\n')).digest('hex')
    return { ...outcome, digest, cpuMs: cpuMs() }
  } catch (error) {
    return { plan, complaints: [inWords(error)], faults: [], ms: 0, digest: '', cpuMs: cpuMs() }
  }
}
