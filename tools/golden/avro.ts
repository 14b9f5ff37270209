/**
 * Makes test/golden/avro.json: values in Avro's JSON encoding, and their bytes as Avro's own library writes them; what it
 * reads with another schema; decimals. Needs Java and Maven. `npm run golden:avro`
 */
import { writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { runSchemaJava } from '../../test/harness/schema-java.ts'
import { avroCases, type AskedAvro, type Json } from './avro-cases.ts'

export interface GoldenAvro extends AskedAvro {
  /** Hexadecimal. */
  readonly bytes: string
  /** The same with arrays and maps in blocks that have their sizes in front. */
  readonly blocked?: string
  /** The schema as the library prints it. */
  readonly text: string
  /** What `reader` makes of the bytes. */
  readonly read?: Json
}

const file = new URL('../../test/golden/avro.json', import.meta.url)

const asked = avroCases()
const lines = asked.map(({ schema, reader, json, decimal }) => JSON.stringify({ schema, reader, json, decimal }))
const { stdout, stderr, code } = await runSchemaJava('GoldenAvro', [], lines.join('\n'))
if (code !== 0) throw new Error(`GoldenAvro.java failed: ${stderr}`)
const written = stdout.trimEnd().split('\n')
if (written.length !== asked.length) throw new Error(`${written.length} lines for ${asked.length} values: ${stderr}`)
const cases = asked.map((each, i) => ({ ...each, ...(JSON.parse(written[i] ?? '') as object) }) as GoldenAvro)
const options = await resolveConfig(file)
writeFileSync(file, await format(JSON.stringify(cases), { ...options, parser: 'json' }))
console.log(`golden: ${cases.length} Avro values`)
