/** packages/broker/FOREIGN.md, from the results that are kept beside this file. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import type { ForeignSuite, Ground, Outcome, Outcomes } from './suite.ts'

/** Of one suite on one ground. Tests that passed are only counted. */
interface Kept {
  readonly version: string
  /** null: not kept. */
  readonly date: string | null
  readonly passed: number
  readonly rest: Readonly<Record<string, Outcome>>
}

type Results = Record<string, Partial<Record<Ground, Kept>>>

const resultsFile = new URL('results.json', import.meta.url)
const kafkajsFile = new URL('../specs/kafkajs/results.json', import.meta.url)
const page = new URL('../../packages/broker/FOREIGN.md', import.meta.url)

/** What the page says of a suite. */
type Told = Pick<ForeignSuite, 'name' | 'version' | 'source' | 'leftOut' | 'reasons'>

const kafkajs: Told = {
  name: 'KafkaJS',
  version: '2.2.4',
  source: 'github.com/tulios/kafkajs, src',
  leftOut: 'specs of its internals',
  reasons: {
    'src/producer/index.spec.js: Producer emits the request timeout event':
      'wants a request to be unanswered after a millisecond, and this cluster answers sooner, as a rule',
  },
}

const HEAD = `# Other projects' own tests

What other projects test their clients with, run against the embedded cluster, and against Kafka 4.3.1 in the same
surroundings. \`npm run suites\` fetches a suite from its registry, runs it on both, and writes this page;
\`npm run suites -- --only kafka-go --on embedded\` runs one of them on one. Suites that no registry has are in the work
tree of their repository: \`npm run suites -- --only aiokafka --from ../aiokafka\`. KafkaJS's have a command of their own
([SPECS.md](../kafkajs/SPECS.md)); counted here are those of its public API with KafkaJS itself. None of it runs in CI.

A test counts as passed or not; one that is skipped wants something else than a cluster of this kind.
`

/** Keeps what a run has found. */
export function keep({ name, version }: ForeignSuite, ground: Ground, outcomes: Outcomes): void {
  const rest = Object.fromEntries([...outcomes].filter(([, outcome]) => outcome !== 'passed').sort())
  const passed = [...outcomes.values()].filter(outcome => outcome === 'passed').length
  const date = new Date().toISOString().slice(0, 10)
  const results = read()
  results[name] = { ...results[name], [ground]: { version, date, passed, rest } }
  writeFileSync(resultsFile, `${JSON.stringify(results, null, 2)}\n`)
}

/** Writes the page. @returns tests that fail on the embedded cluster only, and have no reason */
export async function writePage(run: readonly ForeignSuite[]): Promise<string[]> {
  const suites: readonly Told[] = [kafkajs, ...run]
  const results = { ...read(), [kafkajs.name]: { embedded: kafkajsKept('embedded'), kafka: kafkajsKept('real') } }
  const rows = suites.map(suite => {
    const { embedded, kafka } = results[suite.name] ?? {}
    return `| ${suite.name} ${suite.version} | ${suite.source} | ${counted(embedded)} | ${counted(kafka)} |`
  })
  const unexplained: string[] = []
  const sections = suites.flatMap(suite => {
    const lines = differences(suite, results[suite.name] ?? {}, unexplained)
    const leftOut = suite.leftOut === undefined ? [] : ['', `Left out: ${suite.leftOut}.`]
    return lines.length + leftOut.length === 0 ? [] : ['', `## ${suite.name}`, ...leftOut, '', ...lines]
  })
  const table = ['| Suite | Source | Embedded cluster | Kafka 4.3.1 |', '| --- | --- | --- | --- |', ...rows]
  const text = [HEAD, ...table, ...sections, ''].join('\n')
  const file = fileURLToPath(page)
  writeFileSync(page, await format(text, { ...(await resolveConfig(file)), filepath: file }))
  return unexplained
}

function read(): Results {
  try {
    return JSON.parse(readFileSync(resultsFile, 'utf8')) as Results // as `keep` writes them
  } catch {
    return {}
  }
}

/** The results of the suite that has a command of its own, whose tests in a file may have the same names. */
function kafkajsKept(world: 'embedded' | 'real'): Kept {
  const results = JSON.parse(readFileSync(kafkajsFile, 'utf8')) as KafkajsResults // as its command writes them
  const files = Object.entries(results[world].original)
  const failures = files.flatMap(([file, { failed }]) => failed.map(name => [`${file}: ${name}`, 'failed'] as const))
  const passed = files.reduce((sum, [, file]) => sum + file.passed, 0)
  return { version: kafkajs.version, date: null, passed, rest: Object.fromEntries(failures) }
}

type KafkajsResults = Record<
  'embedded' | 'real',
  { readonly original: Readonly<Record<string, { readonly passed: number; readonly failed: readonly string[] }>> }
>

function counted(kept: Kept | undefined): string {
  if (kept === undefined) return 'not run'
  const failed = Object.values(kept.rest).filter(outcome => outcome === 'failed').length
  const skipped = Object.keys(kept.rest).length - failed
  return `${kept.passed} of ${kept.passed + failed}${skipped > 0 ? `, ${skipped} skipped` : ''}${kept.date === null ? '' : ` (${kept.date})`}`
}

function differences(
  { reasons }: Told,
  { embedded, kafka }: Partial<Record<Ground, Kept>>,
  unexplained: string[],
): string[] {
  const names = new Set([...failuresOf(embedded), ...failuresOf(kafka)])
  return [...names].sort().map(name => {
    const [here, there] = [embedded, kafka].map(kept =>
      kept === undefined ? 'not run' : (kept.rest[name] ?? 'passed'),
    )
    const reason = Object.entries(reasons).find(([start]) => name.startsWith(start))?.[1]
    if (here === 'failed' && there !== 'failed' && reason === undefined) unexplained.push(name)
    const onKafka = here === 'failed' ? 'fails on Kafka, too' : 'fails on Kafka only'
    const why = reason ?? (there === 'failed' ? onKafka : 'not looked at yet')
    return `- \`${name}\`: ${here} on the embedded cluster, ${there} on Kafka: ${why}`
  })
}

function failuresOf(kept: Kept | undefined): string[] {
  return Object.entries(kept?.rest ?? {}).flatMap(([name, outcome]) => (outcome === 'failed' ? [name] : []))
}
