/** What the registry keeps in the topic `_schemas`, in Confluent's layout. */
import type { RegistryMode, SchemaMetadata, SchemaReference, SchemaType } from '../types.ts'

/** Where the records are kept, in order; the last one of a key counts. */
export interface RegistryLog {
  /** All records, as JSON text. */
  read(): Iterable<{ readonly key: string; readonly value: string | null }>
  append(key: string, value: string | null): void
}

/** One version of a subject. */
export interface SchemaRecord {
  readonly subject: string
  readonly version: number
  readonly id: number
  readonly schemaType?: SchemaType
  readonly references?: readonly SchemaReference[]
  readonly metadata?: SchemaMetadata
  readonly schema: string
  readonly deleted: boolean
}

export interface ConfigRecord {
  readonly compatibilityLevel?: string
  readonly normalize?: boolean
  readonly compatibilityGroup?: string
  readonly alias?: string
}

export interface ModeRecord {
  readonly mode: RegistryMode
}

export type Key =
  | { readonly keytype: 'SCHEMA'; readonly subject: string; readonly version: number; readonly magic: 1 }
  | { readonly keytype: 'CONFIG' | 'MODE'; readonly subject: string | null; readonly magic: 0 }
  | { readonly keytype: 'DELETE_SUBJECT' | 'CLEAR_SUBJECT'; readonly subject: string; readonly magic: 0 }
  | { readonly keytype: 'NOOP'; readonly magic: 0 }

/** A log in memory. */
export function memoryLog(): RegistryLog {
  const records: { key: string; value: string | null }[] = []
  return { read: () => records, append: (key, value) => void records.push({ key, value }) }
}
