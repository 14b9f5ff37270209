/** What the registry knows of each format: what is a schema, when two are the same, what can read what. */
import { canonicalAvro } from '../avro/canonical.ts'
import { parseWithReferences } from '../avro/codec.ts'
import { incompatibilities, type Incompatibility } from '../avro/compatibility.ts'
import { textOf } from '../errors.ts'
import type { SchemaType } from '../types.ts'
import { refusals } from './failure.ts'

/** A schema with the texts that it refers to, each after its own. */
export interface WholeSchema {
  readonly text: string
  readonly references: readonly string[]
}

interface RegistryFormat {
  /** The text to keep. @throws Refusal if it is no schema */
  accept(schema: WholeSchema): string
  /** Why data of `writer` cannot always be read with `reader`. */
  compare(writer: WholeSchema, reader: WholeSchema, isNewReader: boolean): string[]
}

const avro: RegistryFormat = {
  accept({ text, references }) {
    try {
      parseWithReferences(text, references)
    } catch (error) {
      throw refusals.invalidSchema(textOf(error))
    }
    return canonicalAvro(jsonOf(text))
  },
  compare(writer, reader, isNewReader) {
    const found = incompatibilities(
      parseWithReferences(writer.text, writer.references),
      parseWithReferences(reader.text, reader.references),
    )
    return found.map(each => described(each, isNewReader))
  },
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text.trim()
  }
}

function described({ type, path, about }: Incompatibility, isNewReader: boolean): string {
  const [reader, writer] = isNewReader ? ['new', 'old'] : ['old', 'new']
  const descriptions: Readonly<Record<Incompatibility['type'], string>> = {
    NAME_MISMATCH: `The name of the schema has changed (path '${path}')`,
    FIXED_SIZE_MISMATCH: `The size of FIXED type field at path '${path}' in the ${reader} schema does not match with the ${writer} schema`,
    MISSING_ENUM_SYMBOLS: `The ${reader} schema is missing enum symbols '${about}' at path '${path}' in the ${writer} schema`,
    READER_FIELD_MISSING_DEFAULT_VALUE: `The field '${about}' at path '${path}' in the ${reader} schema has no default value and is missing in the ${writer} schema`,
    TYPE_MISMATCH: `The type (path '${path}') of a field in the ${reader} schema does not match with the ${writer} schema`,
    MISSING_UNION_BRANCH: `The ${reader} schema is missing a type inside a union field at path '${path}' in the ${writer} schema`,
  }
  return `{errorType:'${type}', description:'${descriptions[type]}', additionalInfo:'${about}'}`
}

/** Kept, and not understood yet: they are compared as text. */
function asText(accept: (text: string) => string): RegistryFormat {
  return {
    accept: ({ text }) => accept(text),
    compare: (writer, reader) =>
      writer.text === reader.text
        ? []
        : [
            "{errorType:'NOT_COMPARED', description:'The embedded registry compares Avro schemas only: set the level NONE for this subject'}",
          ],
  }
}

export const formats: Readonly<Record<SchemaType, RegistryFormat>> = {
  AVRO: avro,
  JSON: asText(text => {
    try {
      return JSON.stringify(JSON.parse(text))
    } catch (error) {
      throw refusals.invalidSchema(textOf(error))
    }
  }),
  PROTOBUF: asText(text => text.trim()),
}
