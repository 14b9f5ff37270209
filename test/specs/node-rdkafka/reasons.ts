/** Why tests of node-rdkafka's specs do not pass with the facade. */
import type { Reason } from '../results.ts'

export const reasons: readonly Reason[] = [
  { spec: 'test/producer', tests: /_disconnect/, reason: 'internals: a method with an underscore' },
]
