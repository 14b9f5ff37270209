/** Avro in the registry. */
import { canonicalAvro, sortedAvro } from '../avro/canonical.ts'
import { parseWithReferences } from '../avro/codec.ts'
import { incompatibilities, type Incompatibility } from '../avro/compatibility.ts'
import { textOf } from '../errors.ts'
import { refusals } from './failure.ts'
import type { RegistryFormat, WholeSchema } from './format.ts'

export const avroFormat: RegistryFormat = {
  accept(schema) {
    try {
      parsed(schema)
    } catch (error) {
      throw refusals.invalidSchema(textOf(error))
    }
    return canonicalAvro(jsonOf(schema.text))
  },
  normalized: text => sortedAvro(jsonOf(text)),
  compare: (writer, reader, isNewReader) =>
    incompatibilities(parsed(writer), parsed(reader)).map(each => described(each, isNewReader)),
}

function parsed({ text, references }: WholeSchema) {
  return parseWithReferences(
    text,
    references.map(reference => reference.text),
  )
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
