/** Protobuf in the registry. */
import { textOf } from '../errors.ts'
import { protoDifferences, type ProtoSchema } from '../protobuf/compatibility.ts'
import { descriptorsOf, readProto, withImports } from '../protobuf/files.ts'
import { normalizedProto } from '../protobuf/normalize.ts'
import { printProto } from '../protobuf/print.ts'
import { refusals } from './failure.ts'
import { differenceText, type Referred, type RegistryFormat, type WholeSchema } from './format.ts'

/** How messages of errors call the schema's own file; no import has such a path. */
const OWN = 'schema.proto'

export const protobufFormat: RegistryFormat = {
  accept(schema) {
    try {
      // Types that are not known are told here.
      descriptorsOf(filesOf(schema))
      return printProto(readProto(schema.text))
    } catch (error) {
      throw refusals.invalidSchema(textOf(error))
    }
  },
  normalized: text => printProto(normalizedProto(readProto(text))),
  compare: (writer, reader, isNewReader) =>
    protoDifferences(schemaOf(writer), schemaOf(reader)).map(({ type, path }) =>
      differenceText(type, path, isNewReader),
    ),
  formatted: (schema, format) =>
    format === 'serialized' ? (descriptorsOf(filesOf(schema)).get(OWN)?.toString('base64') ?? null) : null,
}

function filesOf({ text, references }: WholeSchema) {
  return withImports(
    OWN,
    text,
    references.map(({ name, text: schema }) => ({ name, schema })),
  )
}

function schemaOf(schema: WholeSchema): ProtoSchema {
  const origins = new Map(schema.references.map(each => [each.name, originOf(each)]))
  const [own, ...others] = [...filesOf(schema)]
  return {
    file: own?.[1] ?? readProto(schema.text),
    imported: others.map(([path, file]) => ({ file, origin: origins.get(path) ?? null })),
  }
}

function originOf({ subject, version }: Referred): string {
  return `${subject} ${version}`
}
