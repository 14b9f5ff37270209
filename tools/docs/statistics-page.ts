/** Writes STATISTICS.md from the types of the statistics, which describe every field. */
import { readFileSync } from 'node:fs'
import ts from 'typescript'

const source = new URL('../../packages/ottla/src/statistics.ts', import.meta.url)

/** The types, with their headings, in the order of the page. */
const chapters = {
  Statistics: 'Of a client',
  BrokerStatistics: 'Of a broker',
  TopicStatistics: 'Of a topic',
  PartitionStatistics: 'Of a partition',
  GroupStatistics: 'Of a group',
  EosStatistics: 'Of an idempotent producer',
  WindowStatistics: 'Distributions',
} as const

const types = Object.keys(chapters) as (keyof typeof chapters)[]

export function statisticsPage(): string {
  const file = ts.createSourceFile('statistics.ts', readFileSync(source, 'utf8'), ts.ScriptTarget.Latest, true)
  const declared = new Map(file.statements.filter(ts.isInterfaceDeclaration).map(each => [each.name.text, each]))
  const unknown = [...declared.keys()].filter(name => !(name in chapters))
  if (unknown.length > 0) throw new Error(`STATISTICS.md has no chapter for ${unknown.join(', ')}`)
  return `# Statistics

Generated from \`packages/ottla/src/statistics.ts\`; run \`npm run docs\` after changing it.

\`client.statistics()\` has them at once. With \`statistics.interval.ms\`, \`stats\` events bring them, as an object (\`statistics\`) and
as text (\`json\`). Names and units are those of librdkafka, so that what reads its statistics reads these. Counters count
since the client was created. Prometheus and OpenTelemetry get them by packages of their own:
[docs/observability.md](docs/observability.md).

${types.map(name => chapter(chapters[name], required(declared.get(name), name))).join('\n\n')}
`
}

function chapter(title: string, declaration: ts.InterfaceDeclaration): string {
  const rows = declaration.members.filter(ts.isPropertySignature).map(row)
  return `## ${title}

${descriptionOf(declaration)}

| field | type | meaning |
| --- | --- | --- |
${rows.join('\n')}`
}

function row(field: ts.PropertySignature): string {
  const cells = [
    `\`${field.name.getText()}\``,
    typeText(required(field.type, field.name.getText())),
    descriptionOf(field),
  ]
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

/** A type in words, with links to the chapters. */
function typeText(type: ts.TypeNode): string {
  const text = type.getText().replaceAll(/\s+/g, ' ')
  const linked = types.find(name => new RegExp(`\\b${name}\\b`).test(text))
  const isMap = text.startsWith('Readonly<Record<')
  if (linked !== undefined) return `${isMap ? 'object of ' : ''}[${linked}](#${anchor(chapters[linked])})`
  if (isMap) return 'object'
  return text
    .split(' | ')
    .map(word => (word.startsWith("'") ? `\`${word.slice(1, -1)}\`` : word))
    .join(', ')
}

function anchor(title: string): string {
  return title.toLowerCase().replaceAll(' ', '-')
}

/** The text of a documentation comment, on one line. */
function descriptionOf(node: ts.Node): string {
  const [comment] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc)
  return required(ts.getTextOfJSDocComment(comment?.comment), node.getText()).replaceAll(/\s+/g, ' ')
}

function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} has no description`)
  return value
}
