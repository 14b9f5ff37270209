/** What the registry needs to know of a format. */

/** A schema that another one refers to. */
export interface Referred {
  readonly name: string
  readonly subject: string
  readonly version: number
  readonly text: string
}

/** A schema with all that it refers to, each after its own. */
export interface WholeSchema {
  readonly text: string
  readonly references: readonly Referred[]
}

export interface RegistryFormat {
  /** The text to keep. @throws Refusal if it is no schema */
  accept(schema: WholeSchema): string
  /** The same for all schemas that differ in form only; of a text that was accepted. */
  normalized(text: string): string
  /** Why data of `writer` cannot always be read with `reader`. */
  compare(writer: WholeSchema, reader: WholeSchema, isNewReader: boolean): string[]
  /** The schema in the format that a request names; null if the format does not know it. */
  formatted?(schema: WholeSchema, format: string): string | null
}

/** @param path from the root of the schema */
export function differenceText(type: string, path: string, isNewReader: boolean, about = ''): string {
  const [reader, writer] = isNewReader ? ['new', 'old'] : ['old', 'new']
  const what = type.toLowerCase().replaceAll('_', ' ')
  const description = `${what} at path '${path}': what the ${writer} schema allows, the ${reader} schema does not`
  return `{errorType:"${type}", description:"${description}"${about}}`
}
