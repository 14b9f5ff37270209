import type { ClusterOptions } from '../client/options.ts'
import type { EncoderOptions } from '../client/encoder.ts'

export interface ProduceOptions extends ClusterOptions, EncoderOptions {
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
