/** A fault of our own in the client: the simulation has to find it. */

export const areas = [
  'producer',
  'transactions',
  'fetcher',
  'offsets',
  'classic groups',
  'KIP-848 groups',
  'share groups',
  'run',
  'network',
  'access',
  'resets',
  'reports of other clients',
] as const

export interface Mutant {
  readonly id: string
  readonly area: (typeof areas)[number]
  /** What it breaks, as a sentence without its full stop. */
  readonly breaks: string
  /** Below packages/ottla/src. */
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly find: string
  readonly replace: string
  /** Those that may find it; seeds take them in turn. */
  readonly workloads: readonly string[]
  /** It is not found: what the checkers lack, or why nobody can notice. */
  readonly survives?: string
}
