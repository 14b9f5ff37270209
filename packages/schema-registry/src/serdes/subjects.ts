/** Names of subjects. */
import { invalidArgument } from '../errors.ts'

/**
 * What a subject's name is made of.
 * @since 0.1.0
 */
export interface SubjectContext {
  readonly topic: string
  readonly field: 'key' | 'value'
  /** The full name of the record or message type; of a JSON schema its title. Null where no schema is known. */
  readonly recordName: string | null
}

/**
 * How subjects are named: `topic` is `orders-value` (TopicNameStrategy, the default), `record` the record's full name
 * (RecordNameStrategy), `topic-record` both (TopicRecordNameStrategy); or a function.
 * @since 0.1.0
 */
export type SubjectNaming = 'topic' | 'record' | 'topic-record' | ((context: SubjectContext) => string)

export function subjectOf(naming: SubjectNaming, context: SubjectContext): string {
  const { topic, field, recordName } = context
  if (typeof naming === 'function') return naming(context)
  if (naming === 'topic') return `${topic}-${field}`
  if (recordName === null) {
    throw invalidArgument(
      `subject: '${naming}' needs the schema: give it (of JSON with a title), or name the subject by a function`,
    )
  }
  return naming === 'record' ? recordName : `${topic}-${recordName}`
}

export function checkNaming(naming: unknown): void {
  if (typeof naming === 'function' || naming === 'topic' || naming === 'record' || naming === 'topic-record') return
  throw invalidArgument("subject takes 'topic', 'record', 'topic-record' or a function")
}
