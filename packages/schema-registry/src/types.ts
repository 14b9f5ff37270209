/** What the registry's API talks about, by the names that programs use. */

/**
 * The formats of schemas.
 * @since 0.1.0
 */
export type SchemaType = 'AVRO' | 'PROTOBUF' | 'JSON'

/**
 * A compatibility level.
 * @since 0.1.0
 */
export type CompatibilityLevel =
  'NONE' | 'BACKWARD' | 'BACKWARD_TRANSITIVE' | 'FORWARD' | 'FORWARD_TRANSITIVE' | 'FULL' | 'FULL_TRANSITIVE'

/**
 * What a subject or the registry allows. `IMPORT` takes schemas with their ids.
 * @since 0.1.0
 */
export type RegistryMode = 'READWRITE' | 'READONLY' | 'READONLY_OVERRIDE' | 'IMPORT' | 'FORWARD'

/**
 * Another schema that a schema uses.
 * @since 0.1.0
 */
export interface SchemaReference {
  /** How the schema calls it: a full name (Avro), a path (Protobuf `import`), a URI (JSON Schema `$ref`). */
  readonly name: string
  readonly subject: string
  readonly version: number
}

/**
 * What a schema carries beside its text.
 * @since 0.1.0
 */
export interface SchemaMetadata {
  readonly tags?: Readonly<Record<string, readonly string[]>>
  readonly properties?: Readonly<Record<string, string>>
  readonly sensitive?: readonly string[]
}

/**
 * A schema as the registry keeps it.
 * @since 0.1.0
 */
export interface RegisteredSchema {
  readonly id: number
  /** Null if the registry gives none. */
  readonly guid: string | null
  readonly type: SchemaType
  /** The schema's text: JSON for AVRO and JSON, a `.proto` file for PROTOBUF. */
  readonly schema: string
  readonly references: readonly SchemaReference[]
  readonly metadata: SchemaMetadata | null
  /** Null where the registry was asked for an id. */
  readonly subject: string | null
  /** Null where the registry was asked for an id. */
  readonly version: number | null
}

/**
 * How a schema is to be taken.
 * @since 0.1.0
 */
export interface SchemaOptions {
  /** AVRO by default. */
  readonly type?: SchemaType
  readonly references?: readonly SchemaReference[]
  readonly metadata?: SchemaMetadata
  /** Whether schemas that differ in form only are the same; the registry's configuration by default. */
  readonly normalize?: boolean
}

/**
 * What a call that lists includes.
 * @since 0.1.0
 */
export interface ListOptions {
  /** What was deleted, but not for good, too. */
  readonly deleted?: boolean
  /** Only what was deleted. */
  readonly deletedOnly?: boolean
}

/**
 * Whether a schema may become a subject's next version, and if not, why.
 * @since 0.1.0
 */
export interface CompatibilityResult {
  readonly isCompatible: boolean
  readonly messages: readonly string[]
}

/**
 * The configuration of a subject, a context or the registry.
 * @since 0.1.0
 */
export interface RegistryConfig {
  readonly compatibility?: CompatibilityLevel
  readonly normalize?: boolean
  /** Only schemas with the same value of this metadata property are compared. */
  readonly compatibilityGroup?: string
  /** The subject that this one is another name of. */
  readonly alias?: string
}
