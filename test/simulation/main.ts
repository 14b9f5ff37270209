/** `npm run simulate`: plays seeds, says which fail, and makes those smaller. */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { settingsOf, usage, type Settings } from './arguments.ts'
import { commandOf, type Plan } from './plan.ts'
import { Player, type Result } from './player.ts'
import { SeedLedger, summaryOf } from './seed-ledger.ts'
import { shrink } from './shrink.ts'
import { measureSpeed } from './speed.ts'
import { tempoOf } from './tempo.ts'
import { traceWire } from './wire-trace.ts'
import { workloads } from './workloads/all.ts'
import { runPlan } from './world.ts'

const MOST_LINES = 8

async function main(): Promise<number> {
  const settings = settingsOf(process.argv.slice(2), Object.keys(workloads), availableParallelism())
  if (settings === null) {
    process.stdout.write(usage)
    return 0
  }
  if (settings.speed) {
    process.stdout.write(`${await measureSpeed(settings.firstSeed, settings.minutes)}\n`)
    return 0
  }
  return settings.trace ? trace(settings) : playAll(settings)
}

function planOf({ workloads: names, minutes, tempo, without, most }: Settings, seed: number): Plan {
  const workload = names[seed % names.length] ?? ''
  return { workload, seed, tempo: tempo ?? tempoOf(seed), minutes, without, most }
}

async function trace(settings: Settings): Promise<number> {
  const plan = planOf(settings, settings.firstSeed)
  const workload = workloads[plan.workload]
  if (workload === undefined) throw new Error(`there is no workload ${plan.workload}`)
  const { complaints } = await runPlan(
    plan,
    world => {
      traceWire(world)
      return workload(world)
    },
    line => process.stdout.write(`${line}\n`),
  )
  report({ plan, complaints })
  return complaints.length > 0 ? 1 : 0
}

async function playAll(settings: Settings): Promise<number> {
  const begun = performance.now()
  // Beside this one in the bundle.
  const script = fileURLToPath(new URL('./play.main.mjs', import.meta.url))
  let next = settings.firstSeed
  let played = 0
  let virtualMs = 0
  const failed: Result[] = []
  const ledger = ledgerOf(settings)
  const isTerminal = process.stderr.isTTY
  const progress = (): void => {
    if (!isTerminal) return
    const all = settings.lastSeed - settings.firstSeed + 1
    process.stderr.write(`\r${played} of ${all} seeds, ${failed.length} failed, ${speed()} `)
  }
  const speed = (): string => `${Math.round(virtualMs / (performance.now() - begun))} virtual s per s`
  await Promise.all(
    Array.from({ length: Math.min(settings.jobs, settings.lastSeed - settings.firstSeed + 1) }, async () => {
      const player = new Player(script)
      while (next <= settings.lastSeed && performance.now() - begun < settings.seconds * 1000) {
        const result = await player.play(planOf(settings, next++))
        played++
        ledger?.played(result.plan.seed, { hasFailed: result.complaints.length > 0, cpuMs: result.cpuMs })
        virtualMs += result.ms
        if (result.complaints.length > 0) {
          failed.push(result)
          const small = await smaller(player, result, settings.shrinkRuns)
          report(small)
        }
        progress()
      }
      player.close()
    }),
  )
  if (isTerminal) process.stderr.write('\r\x1b[K')
  ledger?.write()
  process.stdout.write(
    `${played} seeds, ${failed.length} failed, ${Math.round(virtualMs / 60_000)} virtual minutes, ${speed()}\n`,
  )
  for (const { plan } of failed) process.stdout.write(`seed ${plan.seed}\n`)
  if (settings.ledger !== null) process.stdout.write(`${summaryOf(settings.ledger)}\n`)
  return failed.length > 0 ? 1 : 0
}

function ledgerOf({ ledger, workloads: names, tempo, minutes, firstSeed }: Settings): SeedLedger | null {
  if (ledger === null) return null
  const all = Object.keys(workloads)
  const played = names.length === all.length ? 'all' : names.join(', ')
  return new SeedLedger(ledger, { workloads: played, tempo: tempo ?? 'mixed', minutes }, firstSeed)
}

async function smaller(player: Player, failed: Result, mostRuns: number): Promise<Pick<Result, 'plan' | 'complaints'>> {
  const play = async (plan: Plan) => ({ ...(await player.play(plan)), trace: [] })
  const { outcome } = await shrink({ ...failed, trace: [] }, play, mostRuns)
  return outcome
}

function report({ plan, complaints }: Pick<Result, 'plan' | 'complaints'>): void {
  if (complaints.length === 0) return
  process.stdout.write(`\nseed ${plan.seed}: ${commandOf(plan)}\n`)
  for (const line of complaints.slice(0, MOST_LINES)) process.stdout.write(`  ${line}\n`)
  if (complaints.length > MOST_LINES) process.stdout.write(`  and ${complaints.length - MOST_LINES} more\n`)
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
}
