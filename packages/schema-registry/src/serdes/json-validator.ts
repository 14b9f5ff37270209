/** Validation by `ajv`, of the draft that a schema names. */
import { invalidSchema, textOf } from '../errors.ts'
import { isSchemaObject, jsonSchemaOf, type JsonSchema } from '../json/documents.ts'
import type { ResolvedReference } from './format.ts'
import { loadPackage, loadPackageIfThere } from './load-package.ts'

/** Why a value does not match, or null. */
export type Validator = (value: unknown) => string | null

/** What is used of ajv. */
interface Ajv {
  addSchema(schema: object, key: string): void
  compile(schema: JsonSchema): ((value: unknown) => boolean) & { errors?: readonly AjvError[] | null }
}

interface AjvError {
  readonly instancePath: string
  readonly message?: string
}

type AjvClass = new (options: object) => Ajv
type Formats = (ajv: Ajv) => void

const drafts: readonly (readonly [pattern: RegExp, module: string])[] = [
  [/2020-12/, 'ajv/dist/2020'],
  [/2019-09/, 'ajv/dist/2019'],
]

/** @throws SchemaRegistryError INVALID_SCHEMA, MISSING_PACKAGE */
export function jsonValidator(schema: JsonSchema, references: readonly ResolvedReference[]): Validator {
  const ajv = ajvFor(schema)
  const base = isSchemaObject(schema) && typeof schema['$id'] === 'string' ? schema['$id'] : null
  try {
    const known = new Set<string>(base === null ? [] : [base])
    for (const { name, schema: text } of references) addReference(ajv, name, jsonSchemaOf(text), base, known)
    const validate = ajv.compile(plain(schema))
    return value => (validate(value) ? null : described(validate.errors))
  } catch (error) {
    throw invalidSchema(textOf(error))
  }
}

function ajvFor(schema: JsonSchema): Ajv {
  const given = isSchemaObject(schema) ? schema['$schema'] : undefined
  const draft = typeof given === 'string' ? given : ''
  const module = drafts.find(([pattern]) => pattern.test(draft))?.[1] ?? 'ajv'
  const loaded = loadPackage(module, 'JSON Schema') as { default: AjvClass }
  const formats = loadPackageIfThere('ajv-formats') as { default: Formats } | null
  // Keywords and formats that ajv does not know are allowed: registries' schemas have those of other libraries.
  const ajv = new loaded.default({ strict: false, logger: false, validateFormats: formats !== null })
  formats?.default(ajv)
  return ajv
}

/** Under its name, as it is and as the schema's own address makes it, and under its own address. */
function addReference(ajv: Ajv, name: string, schema: JsonSchema, base: string | null, known: Set<string>): void {
  const own = isSchemaObject(schema) && typeof schema['$id'] === 'string' ? [schema['$id']] : []
  for (const key of [name, ...(base === null ? [] : [resolved(name, base)]), ...own]) {
    if (known.has(key)) continue
    known.add(key)
    // A boolean has no address of its own.
    const given = isSchemaObject(schema) ? plain(schema) : { allOf: [schema] }
    ajv.addSchema({ ...(given as object), $id: key }, key)
  }
}

function resolved(name: string, base: string): string {
  try {
    return new URL(name, base).href
  } catch {
    return name
  }
}

/** Drafts that ajv does not have are read as draft 7. */
function plain(schema: JsonSchema): JsonSchema {
  if (!isSchemaObject(schema) || !('$schema' in schema)) return schema
  const { $schema: draft, ...rest } = schema
  const isKnown = /draft-07/.test(String(draft)) || drafts.some(([pattern]) => pattern.test(String(draft)))
  return isKnown ? schema : rest
}

/** Without values: where it is, and what the schema says. */
function described(errors: readonly AjvError[] | null | undefined): string {
  const [first] = errors ?? []
  if (first === undefined) return 'it is not what the schema says'
  const { instancePath, message = 'is not what the schema says' } = first
  return `${instancePath === '' ? 'it' : instancePath} ${message}`
}
