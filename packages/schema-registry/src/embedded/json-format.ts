/** JSON Schema in the registry. */
import { textOf } from '../errors.ts'
import { jsonDifferences } from '../json/compatibility.ts'
import { JsonDocuments } from '../json/documents.ts'
import { checkSchema } from '../json/nodes.ts'
import { refusals } from './failure.ts'
import { differenceText, type RegistryFormat, type WholeSchema } from './format.ts'

export const jsonFormat: RegistryFormat = {
  accept(schema) {
    try {
      const documents = documentsOf(schema)
      const [lost] = documents.unresolved()
      if (lost !== undefined) throw refusals.invalidSchema(`the reference ${lost} leads nowhere`)
      checkSchema(documents)
      return JSON.stringify(documents.root)
    } catch (error) {
      throw refusals.invalidSchema(textOf(error).replace(/^Invalid schema: /, ''))
    }
  },
  normalized: text => JSON.stringify(sorted(JSON.parse(text) as unknown)),
  compare: (writer, reader, isNewReader) =>
    jsonDifferences(documentsOf(writer), documentsOf(reader)).map(({ type, path }) =>
      differenceText(type, `#/${path.join('/')}`, isNewReader),
    ),
}

function documentsOf({ text, references }: WholeSchema): JsonDocuments {
  return new JsonDocuments(
    text,
    references.map(({ name, text: schema }) => ({ name, schema })),
  )
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  )
}
