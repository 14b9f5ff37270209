import type { ClusterOptions } from '../client/options.ts'
import type { SchemaOptions } from '../client/schemas.ts'

export interface ProduceOptions extends ClusterOptions, SchemaOptions {
  readonly keySchema?: string
  readonly valueSchema?: string
  readonly keyMessage?: string
  readonly valueMessage?: string
  readonly topic: string
  readonly partition: number
  readonly key?: string
  readonly keyDelimiter?: string
  readonly delimiter: string
  readonly compression?: string
  readonly header: readonly string[]
  readonly null?: boolean
  readonly lines?: boolean
  readonly count?: number
}
