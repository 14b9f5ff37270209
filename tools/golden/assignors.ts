/**
 * Makes test/golden/assignors.jsonl.gz: random groups, and what Kafka's own assignors deal out among them. Needs Java
 * and Maven. `npm run golden:assignors [SEED]`
 */
import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { runJava } from '../../test/harness/java.ts'
import { seededRandom } from './random-messages.ts'

export interface AssignorScenario {
  /** By topic and partition: the racks of the replicas. */
  readonly topics: Readonly<Record<string, readonly (readonly string[])[]>>
  readonly members: readonly {
    readonly id: string
    readonly instance: string | null
    readonly rack: string | null
    readonly topics: readonly string[]
    /** `topic-partition` */
    readonly owned: readonly string[]
    readonly generation: number
  }[]
}

export type DealtOut = Readonly<Record<string, readonly string[]>>

export interface AssignorCase {
  readonly scenario: AssignorScenario
  /** By strategy and member. */
  readonly java: Readonly<Record<'range' | 'roundrobin' | 'cooperative-sticky', DealtOut>>
}

const CASES = 400

function makeScenario(random: () => number): AssignorScenario {
  const below = (limit: number): number => Math.floor(random() * limit)
  const racks = ['r1', 'r2', 'r3'].slice(0, below(4))
  const topics: Record<string, string[][]> = {}
  const equalCounts = random() < 0.4 ? below(10) : -1
  for (let t = 1 + below(4); t > 0; t--) {
    const count = equalCounts >= 0 ? equalCounts : below(12)
    const copies = 1 + below(3)
    topics[`topic${t}`] = Array.from({ length: count }, () =>
      racks.length === 0 ? [] : Array.from({ length: copies }, () => racks[below(racks.length)] ?? ''),
    )
  }
  const names = Object.keys(topics)
  const all = names.flatMap(topic => (topics[topic] ?? []).map((_, partition) => `${topic}-${partition}`))
  const sameTopics = random() < 0.6
  const hasRacks = random() < 0.6
  const hasInstances = random() < 0.3
  const hasOwners = random() < 0.6
  const count = 1 + below(7)
  const members = Array.from({ length: count }, (_, i) => ({
    id: `m${below(1000)}-${i}`,
    instance: hasInstances && random() < 0.5 ? `i${below(1000)}-${i}` : null,
    rack: hasRacks && racks.length > 0 ? (racks[below(racks.length)] ?? null) : null,
    // Never none: Kafka's sticky assignors then take the subscriptions for equal.
    topics: sameTopics ? names : names.filter((_, at) => at === i % names.length || random() < 0.6),
    owned: [] as string[],
    generation: hasOwners ? 5 - below(2) : -1,
  }))
  if (hasOwners) {
    for (const partition of all) {
      const owner = members[below(count + 1)]
      if (owner?.topics.includes(partition.slice(0, partition.lastIndexOf('-'))) === true) owner.owned.push(partition)
    }
  }
  return { topics, members }
}

if (import.meta.filename === process.argv[1]) {
  const random = seededRandom(Number(process.argv[2] ?? 1))
  const scenarios = Array.from({ length: CASES }, () => makeScenario(() => random()))
  const lines = scenarios.map(scenario => JSON.stringify(scenario)).join('\n')
  const { stdout, stderr, code } = await runJava('4.3.1', 'Assignors', [], lines)
  if (code !== 0) throw new Error(`Assignors.java failed: ${stderr}`)
  const cases = stdout.trimEnd().split('\n')
  const text = cases.map((java, i) => `{"scenario":${JSON.stringify(scenarios[i])},"java":${java}}\n`).join('')
  writeFileSync(new URL('../../test/golden/assignors.jsonl.gz', import.meta.url), gzipSync(text, { level: 9 }))
}
