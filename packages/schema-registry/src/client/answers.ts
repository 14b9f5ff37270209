/** The registry's JSON, and what programs see of it. */
import { SchemaRegistryError } from '../errors.ts'
import type {
  CompatibilityLevel,
  ListOptions,
  RegisteredSchema,
  RegistryConfig,
  SchemaOptions,
  SchemaReference,
  SchemaType,
} from '../types.ts'

export function subjectPath(subject: string): string {
  return `/subjects/${encodeURIComponent(subject)}`
}

/** Whether a subject begins with a prefix; `:*:` stands for any context. */
export function beginsWith(subject: string, prefix: string): boolean {
  if (!prefix.startsWith(':*:')) return subject.startsWith(prefix)
  return subject.replace(/^:[^:]*:/, '').startsWith(prefix.slice(3))
}

export function schemaText(schema: string | object): string {
  return typeof schema === 'string' ? schema : JSON.stringify(schema)
}

/** The body of requests that have a schema. */
export function schemaBody(schema: string | object, options: SchemaOptions): Record<string, unknown> {
  const { type = 'AVRO', references, metadata } = options
  return {
    schema: schemaText(schema),
    ...(type === 'AVRO' ? {} : { schemaType: type }),
    ...(references === undefined || references.length === 0 ? {} : { references }),
    ...(metadata === undefined ? {} : { metadata }),
  }
}

/** @param subject where the answer has none; null if it need not have one */
export function schemaOf(answer: unknown, subject: string | null): RegisteredSchema {
  const given = (answer ?? {}) as Record<string, unknown>
  const { id, schema } = given
  if (typeof id !== 'number' || typeof schema !== 'string') {
    throw new SchemaRegistryError('REFUSED', "the schema registry's answer has no id or no schema: is it a registry?")
  }
  return {
    id,
    guid: typeof given.guid === 'string' ? given.guid : null,
    // Registries leave it out for Avro.
    type: typeof given.schemaType === 'string' ? (given.schemaType as SchemaType) : 'AVRO',
    schema,
    references: Array.isArray(given.references) ? (given.references as SchemaReference[]) : [],
    metadata: typeof given.metadata === 'object' && given.metadata !== null ? given.metadata : null,
    subject: typeof given.subject === 'string' ? given.subject : subject,
    version: typeof given.version === 'number' ? given.version : null,
  }
}

export function listQuery({ deleted, deletedOnly }: ListOptions): Record<string, boolean | undefined> {
  return { deleted, deletedOnly }
}

export function configOf(answer: Record<string, unknown>): RegistryConfig {
  const { compatibilityLevel, compatibility = compatibilityLevel, normalize, compatibilityGroup, alias } = answer
  return {
    ...(typeof compatibility === 'string' ? { compatibility: compatibility as CompatibilityLevel } : {}),
    ...(typeof normalize === 'boolean' ? { normalize } : {}),
    ...(typeof compatibilityGroup === 'string' ? { compatibilityGroup } : {}),
    ...(typeof alias === 'string' ? { alias } : {}),
  }
}

export function configBody(config: RegistryConfig | CompatibilityLevel): object {
  return typeof config === 'string' ? { compatibility: config } : config
}
