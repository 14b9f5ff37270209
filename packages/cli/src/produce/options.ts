import type { ClusterOptions } from '../client/options.ts'

export interface ProduceOptions extends ClusterOptions {
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
