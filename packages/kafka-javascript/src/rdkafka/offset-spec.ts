import type { OffsetSpec as OttlaSpec } from 'ottla'
import type { OffsetSpecConstructor, OffsetSpecInstance } from '../types/admin.ts'

/** Kafka's logical times. */
const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3

class OffsetAt implements OffsetSpecInstance {
  static readonly EARLIEST = new OffsetAt(EARLIEST)
  static readonly LATEST = new OffsetAt(LATEST)
  static readonly MAX_TIMESTAMP = new OffsetAt(MAX_TIMESTAMP)
  readonly timestamp: number

  constructor(timestamp: number) {
    this.timestamp = timestamp
  }
}

/** What offset `listOffsets` asks for: that of the first record at a time or later, or a logical one. */
export const OffsetSpec: OffsetSpecConstructor = OffsetAt
/** What offset `listOffsets` asks for. */
export type OffsetSpec = OffsetSpecInstance

/** As `ottla` asks for it. */
export function specOf({ timestamp }: OffsetSpecInstance): OttlaSpec {
  switch (timestamp) {
    case LATEST:
      return 'latest'
    case EARLIEST:
      return 'earliest'
    case MAX_TIMESTAMP:
      return 'max-timestamp'
    default:
      return { timestamp }
  }
}
