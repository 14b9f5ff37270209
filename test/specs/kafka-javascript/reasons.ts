/** Why tests of Confluent's specs do not pass with the facade. */
import type { Reason } from '../results.ts'

export const reasons: readonly Reason[] = []
