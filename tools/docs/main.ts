/**
 * Writes CONFIGURATION.md, ERRORS.md, STATISTICS.md, the page about librdkafka's properties and node-rdkafka's configuration types
 * from the tables in the code. With `--check` nothing is written: the exit status is 1 if what is there is not what would be
 * written.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ErrorCode } from '@ottla/protocol'
import type { Property } from '../../packages/ottla/src/config/property.ts'
import { aliases, properties } from '../../packages/ottla/src/config/table.ts'
import { errorTraits } from '../../packages/ottla/src/error-traits.ts'
import { defaultText, rangeText } from './property-text.ts'
import { librdkafkaPropertiesPage } from './librdkafka-properties.ts'
import { rdkafkaConfigTypes } from './rdkafka-config.ts'
import { statisticsPage } from './statistics-page.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

const scopes = { '*': 'all', P: 'producer', C: 'consumer' } as const

/** Every page by its file name. */
export function generatePages(): Map<string, string> {
  return new Map([
    ['CONFIGURATION.md', configurationPage()],
    ['ERRORS.md', errorsPage()],
    ['STATISTICS.md', statisticsPage()],
    ['docs/migrating/librdkafka-properties.md', librdkafkaPropertiesPage()],
    ['packages/node-rdkafka/src/types/config.ts', rdkafkaConfigTypes()],
  ])
}

function configurationPage(): string {
  const rows = Object.entries(properties).map(([name, property]) => row(name, property))
  return `# Configuration

Generated from the table in \`packages/ottla/src/config\`; run \`npm run docs\` after changing it.

The keys are librdkafka's. A value may be given as its own type or as text (\`5\` or \`'5'\`, \`true\` or \`'true'\`), words in
upper or lower case. A key that does not exist, a value of the wrong type or out of range, and settings that contradict each
other are refused by the constructor with \`ERR__INVALID_ARG\`. A key of another kind of client is refused by the compiler and, at
run time, taken with a warning: [docs/typescript.md](docs/typescript.md).

**Scope**: which clients take notice. **Effect**: *no effect* marks properties that only mean something to the C library;
setting them logs a warning. Aliases: ${Object.entries(aliases)
    .map(([alias, name]) => `\`${alias}\` for \`${name}\``)
    .join(', ')}.

| property | scope | range | default | importance | what it does |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`
}

function row(name: string, property: Property): string {
  const alias = Object.entries(aliases).find(([, target]) => target === name)
  const shown = alias === undefined ? `\`${name}\`` : `\`${name}\`, \`${alias[0]}\``
  const cells = [
    shown,
    scopes[property.scope],
    rangeText(property),
    defaultText(property),
    property.importance,
    property.doc + effectText(property),
  ]
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function effectText(property: Property): string {
  const { status } = property
  switch (status.is) {
    case 'built':
      return ''
    case 'clib':
      return ' *No effect.*'
    case 'elsewhere':
      return ` *Instead: ${status.use}.*`
    default:
      return status satisfies never
  }
}

function errorsPage(): string {
  const entries = Object.entries(ErrorCode).sort(([, a], [, b]) => a - b)
  const table = (rows: [string, number][]): string =>
    rows
      .map(([name, code]) => {
        const { retriable, text } = errorTraits(code)
        return `| \`${name}\` | ${code} | ${retriable ? 'yes' : 'no'} | ${text} |`
      })
      .join('\n')
  const head = '| name | code | retriable | meaning |\n| --- | --- | --- | --- |'
  return `# Errors

Generated from the tables in the code; run \`npm run docs\` after changing them.

Every error of this library is a \`KafkaError\`: \`code\` is one of the numbers below, \`name\` its name, \`message\` a sentence that
names the culprit, \`cause\` what lies beneath. \`isFatal\`: the client can only be closed. \`isRetriable\`: the same call may
succeed later; the client itself has tried for as long as its time-outs allow. \`isTimeout\`: a wait ended.
\`txnRequiresAbort\`: abort the transaction first. Codes from brokers are above -2, those of the client below.

## Of the client

${head}
${table(entries.filter(([, code]) => code < -1))}

## Of brokers

${head}
${table(entries.filter(([, code]) => code >= -1))}
`
}

function main(check: boolean): number {
  let wrong = 0
  for (const [name, text] of generatePages()) {
    const path = join(root, name)
    if (!check) writeFileSync(path, text)
    else if (readOrEmpty(path) !== text) {
      wrong++
      console.error(`docs: ${name} is not what the tables say; run \`npm run docs\` and commit the result`)
    }
  }
  if (wrong === 0) console.log(`docs: pages ${check ? 'agree with the tables' : 'written'}`)
  return wrong === 0 ? 0 : 1
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv.includes('--check'))
