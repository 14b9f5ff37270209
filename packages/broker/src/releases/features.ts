/** The features of a cluster and their levels (KIP-584), which brokers report besides the versions of APIs. */
import { ApiKey } from '@ottla/protocol'
import type { VersionRange } from './versions.ts'

export interface Feature {
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
  /** The finalized level; 0: the feature is off. */
  readonly level: number
}

export interface FeatureUpdate {
  readonly name: string
  readonly level: number
  readonly kind: 'upgrade' | 'safe-downgrade' | 'unsafe-downgrade' | 'unknown'
}

const METADATA_VERSION = 'metadata.version'
// The highest version of EndTxn in Kafka 3.9.
const END_TXN_39 = 4

export class Features {
  #all: readonly Feature[]
  #epoch = 1

  constructor(versions: ReadonlyMap<number, VersionRange>) {
    this.#all = featuresOf(versions)
  }

  /** Goes up with each change. */
  get epoch(): number {
    return this.#epoch
  }

  all(): readonly Feature[] {
    return this.#all
  }

  /** 0 for an unknown feature. */
  level(name: string): number {
    return this.#all.find(feature => feature.name === name)?.level ?? 0
  }

  /** Whether the cluster supports the feature but has it off. */
  isOff(name: string): boolean {
    return this.#all.some(feature => feature.name === name && feature.level === 0)
  }

  /** Why an update is refused, or null. */
  problem({ name, level, kind }: FeatureUpdate): string | null {
    const wrong = (why: string): string => `Invalid update version ${level} for feature ${name}. ${why}`
    if (kind === 'unknown') return wrong('The upgrade type is unknown.')
    if (level < 0) return wrong('A feature version cannot be less than 0.')
    const feature = this.#all.find(known => known.name === name)
    if (feature === undefined) return wrong('The feature is unknown.')
    const { minVersion, maxVersion } = feature
    if (level < minVersion || level > maxVersion) return wrong(`It must be from ${minVersion} to ${maxVersion}.`)
    if (level < feature.level && kind === 'upgrade') return wrong('An upgrade cannot lower it.')
    if (level > feature.level && kind !== 'upgrade') return wrong('A downgrade cannot raise it.')
    if (name === METADATA_VERSION && level < feature.level) return wrong('The metadata version cannot be downgraded.')
    return null
  }

  /** For updates that `problem` accepts. */
  update(updates: readonly FeatureUpdate[]): void {
    const levels = new Map(updates.map(({ name, level }) => [name, level]))
    this.#all = this.#all.map(feature => ({ ...feature, level: levels.get(feature.name) ?? feature.level }))
    this.#epoch++
  }
}

// The features of the release, which the served versions give away.
function featuresOf(versions: ReadonlyMap<number, VersionRange>): readonly Feature[] {
  const endTxn = versions.get(ApiKey.EndTxn)?.max ?? 0
  if (endTxn < END_TXN_39) return []
  if (endTxn === END_TXN_39) {
    return [
      { name: METADATA_VERSION, minVersion: 1, maxVersion: 21, level: 21 },
      { name: 'kraft.version', minVersion: 0, maxVersion: 1, level: 0 },
    ]
  }
  return [
    { name: METADATA_VERSION, minVersion: 7, maxVersion: 30, level: 30 },
    // Each end of a transaction raises the epoch (KIP-890).
    { name: 'transaction.version', minVersion: 0, maxVersion: 2, level: 2 },
    { name: 'group.version', minVersion: 0, maxVersion: 1, level: 1 },
    { name: 'share.version', minVersion: 0, maxVersion: 1, level: 1 },
    { name: 'streams.version', minVersion: 0, maxVersion: 1, level: 1 },
    { name: 'eligible.leader.replicas.version', minVersion: 0, maxVersion: 1, level: 1 },
    { name: 'kraft.version', minVersion: 0, maxVersion: 1, level: 0 },
  ]
}
