/**
 * Writes packages/protocol/src/generated from spec/, and packages/ottla/src/config/generated from the table of properties.
 * With `--check` nothing is written: the exit status is 1 if what is there is not what would be written.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { emitConfig } from './emit-config.ts'
import { emitApi, emitStandalone, HEADER } from './emit-messages.ts'
import { emitApiTable, emitWireApis, emitErrors } from './emit-tables.ts'
import { apiNameOf, isClientRequest, parseSpec, standaloneNames } from './spec.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const KAFKA = '4.3.1'

/** What the generator reads. */
export interface Facts {
  /** Kafka's messages: their fields, versions and types. */
  readonly messages: string
  /** Rows of name, code and side. */
  readonly errors: string
  /** Rows of name and what it means. */
  readonly errorTexts: string
}

export function readFacts(): Facts {
  const read = (name: string): string => readFileSync(join(root, 'spec', name), 'utf8')
  return {
    messages: read(`kafka-messages-${KAFKA}.json`),
    errors: read('error-codes.tsv'),
    errorTexts: read('error-texts.tsv'),
  }
}

/** Every generated file by its name. Throws Error for facts of an unknown form. */
export function generate(facts: Facts): Map<string, string> {
  const messages = parseSpec(facts.messages)
  const requests = messages.filter(isClientRequest)
  const files = new Map<string, string>()
  for (const request of requests) {
    const response = messages.find(message => message.type === 'response' && message.apiKey === request.apiKey)
    if (response === undefined) throw new Error(`${request.name} has no response`)
    files.set(`${kebab(apiNameOf(request))}.ts`, emitApi(request, response))
  }
  for (const message of messages.filter(candidate => standaloneNames.has(candidate.name))) {
    files.set(`${kebab(message.name)}.ts`, emitStandalone(message))
  }
  files.set('apis.ts', emitApiTable(requests))
  files.set(
    'wire-apis.ts',
    emitWireApis(requests, name => `${kebab(name)}.ts`),
  )
  files.set('error-codes.ts', emitErrors(facts.errors, facts.errorTexts))
  const exported = [...files.keys()].sort().map(name => `export * from './${name}'`)
  files.set('index.ts', `${HEADER}${exported.join('\n')}\n`)
  return files
}

/** Writes the files and removes what else the folder holds. */
export function writeFiles(folder: string, files: ReadonlyMap<string, string>): void {
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder)) if (!files.has(name)) rmSync(join(folder, name))
  for (const [name, text] of files) writeFileSync(join(folder, name), text)
}

/** How the folder differs from the files, a line for each one that does. */
export function differences(folder: string, files: ReadonlyMap<string, string>): string[] {
  if (!existsSync(folder)) return [`${folder} is missing`]
  const present = new Set(readdirSync(folder))
  const lines = [...present].filter(name => !files.has(name)).map(name => `${name} should not be there`)
  for (const [name, text] of files) {
    if (!present.has(name)) {
      lines.push(`${name} is missing`)
      continue
    }
    const line = firstDifference(readFileSync(join(folder, name), 'utf8'), text)
    if (line !== 0) lines.push(`${name} differs from line ${line} on`)
  }
  return lines
}

// The first line in which two texts differ, counted from 1; 0 if they are equal.
function firstDifference(a: string, b: string): number {
  if (a === b) return 0
  const left = a.split('\n')
  const right = b.split('\n')
  const index = right.findIndex((line, i) => line !== left[i])
  return (index < 0 ? right.length : index) + 1
}

function kebab(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()
}

function main(isCheck: boolean): number {
  const made = [
    { folder: join(root, 'packages/protocol/src/generated'), files: generate(readFacts()) },
    { folder: join(root, 'packages/ottla/src/config/generated'), files: emitConfig() },
  ]
  const count = made.reduce((sum, { files }) => sum + files.size, 0)
  if (!isCheck) {
    for (const { folder, files } of made) writeFiles(folder, files)
    console.log(`codegen: ${count} files written`)
    return 0
  }
  const wrong = made.flatMap(({ folder, files }) => differences(folder, files))
  if (wrong.length === 0) {
    console.log(`codegen: ${count} files are what the generator writes`)
    return 0
  }
  console.error(`codegen: ${wrong.join('\n         ')}\nRun \`npm run codegen\` and commit the result.`)
  return 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv.includes('--check'))
