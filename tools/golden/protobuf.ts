/**
 * Makes test/golden/protobuf.json: messages in Protobuf's JSON mapping, and their bytes and indexes as its own library for
 * Java writes them; what it reads from bytes that no writer of ours makes. Needs Java and Maven. `npm run golden:protobuf`
 */
import { writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { descriptorsOf, withImports } from '../../packages/schema-registry/src/protobuf/files.ts'
import { runSchemaJava } from '../../test/harness/schema-java.ts'
import type { Json } from './avro-cases.ts'
import { protobufCases, type AskedProtobuf } from './protobuf-cases.ts'

export interface GoldenProtobuf extends AskedProtobuf {
  /** Hexadecimal. */
  readonly bytes: string
  /** Which message of the file it is, as it stands in front of the bytes. */
  readonly indexes: string
  /** What the library reads, in Protobuf's JSON mapping. */
  readonly read: Json
}

/** The file: each schema stands in it once, and cases say which it is. */
export interface GoldenProtobufFile {
  readonly schemas: readonly string[]
  readonly cases: readonly (Omit<GoldenProtobuf, 'schema'> & { readonly schema: number })[]
}

const FILE = 'golden.proto'
const file = new URL('../../test/golden/protobuf.json', import.meta.url)

const asked = protobufCases()
const schemas = [...new Set(asked.map(({ schema }) => schema))]
const descriptors = schemas.map(schema =>
  descriptorsOf(withImports(FILE, schema, []))
    .get(FILE)
    ?.toString('hex'),
)
const lines = asked.map(({ schema, message, json, given }) =>
  JSON.stringify({ descriptor: descriptors[schemas.indexOf(schema)], message, json, given }),
)
const { stdout, stderr, code } = await runSchemaJava('GoldenProtobuf', [], lines.join('\n'))
if (code !== 0) throw new Error(`GoldenProtobuf.java failed: ${stderr}`)
const written = stdout.trimEnd().split('\n')
if (written.length !== asked.length) throw new Error(`${written.length} lines for ${asked.length} messages: ${stderr}`)
const cases = asked.map((each, i) => ({
  ...each,
  schema: schemas.indexOf(each.schema),
  ...(JSON.parse(written[i] ?? '') as object),
}))
const options = await resolveConfig(file)
writeFileSync(file, await format(JSON.stringify({ schemas, cases }), { ...options, parser: 'json' }))
console.log(`golden: ${cases.length} Protobuf messages`)
