import { ApiVersions, UpdateFeatures, type UpdateFeaturesRequest } from '@ottla/protocol'
import type { KafkaError } from '../errors.ts'
import { libraryVersion } from '../version.ts'
import { INT16_MAX, requireDistinct, requireInteger, requireItems, requireName, requireWord } from './arguments.ts'
import { controllerMoved, itemError, missingAnswer, withError, type AdminCall } from './call.ts'

/**
 * A range of feature levels.
 * @since 0.1.0
 */
export interface FeatureVersions {
  min: number
  max: number
}

/**
 * The features that a cluster supports and their finalized levels (KIP-584), by name: `metadata.version`,
 * `group.version`, `transaction.version`, ...
 * @since 0.1.0
 */
export interface FeatureMetadata {
  /** The levels that the broker that answered supports. */
  supported: Record<string, FeatureVersions>
  /** The levels in force on the whole cluster. */
  finalized: Record<string, FeatureVersions>
  /** Rises with every change; null if nothing is finalized. */
  finalizedEpoch: number | null
}

/**
 * A change of a feature's level. `safe-downgrade` is refused if it would lose data, `unsafe-downgrade` is not
 * (KIP-778).
 * @since 0.1.0
 */
export interface FeatureUpdate {
  readonly feature: string
  /** The new highest level; 0 turns the feature off. */
  readonly maxVersionLevel: number
  /** Default: 'upgrade'. */
  readonly upgradeType?: 'upgrade' | 'safe-downgrade' | 'unsafe-downgrade'
}

/**
 * The outcome for one feature.
 * @since 0.1.0
 */
export interface FeatureResult {
  feature: string
  error?: KafkaError
}

const upgradeTypes: ReadonlyMap<string, number> = new Map([
  ['upgrade', 1],
  ['safe-downgrade', 2],
  ['unsafe-downgrade', 3],
])
const FIRST_VERSION_WITH_FEATURES = 3
const FIRST_VERSION_OF_TYPES = 1

/** Rejects with the broker's error: there is only one answer. */
export async function describeFeatures(call: AdminCall): Promise<FeatureMetadata> {
  const { deadline, signal } = call
  const body = { clientSoftwareName: 'ottla', clientSoftwareVersion: libraryVersion }
  const response = await call.cluster.request({ to: 'any' }, ApiVersions, body, {
    deadline,
    signal,
    minVersion: FIRST_VERSION_WITH_FEATURES,
  })
  const error = itemError(response.errorCode, null, 'describing the features')
  if (error !== undefined) throw error
  const { supportedFeatures, finalizedFeatures, finalizedFeaturesEpoch } = response
  return {
    supported: Object.fromEntries(supportedFeatures.map(f => [f.name, { min: f.minVersion, max: f.maxVersion }])),
    finalized: Object.fromEntries(
      finalizedFeatures.map(f => [f.name, { min: f.minVersionLevel, max: f.maxVersionLevel }]),
    ),
    finalizedEpoch: finalizedFeaturesEpoch < 0 ? null : finalizedFeaturesEpoch,
  }
}

/** Applies all updates or none: if one is refused, the others' results have an error, too. */
export async function updateFeatures(call: AdminCall, updates: readonly FeatureUpdate[]): Promise<FeatureResult[]> {
  requireItems(updates, 'updates')
  updates.forEach(({ feature, maxVersionLevel, upgradeType }, i) => {
    requireName(feature, `updates[${i}].feature`)
    requireInteger(maxVersionLevel, `maxVersionLevel of feature '${feature}'`, 0, INT16_MAX)
    requireWord(upgradeType ?? 'upgrade', upgradeTypes, `upgradeType of feature '${feature}'`)
  })
  requireDistinct(updates, u => u.feature, 'updates')
  const { deadline, signal, validateOnly, operationTimeoutMs: timeoutMs } = call
  const unsafe = updates.some(u => u.upgradeType === 'unsafe-downgrade')
  const response = await call.cluster.request(
    { to: 'controller' },
    UpdateFeatures,
    (version): UpdateFeaturesRequest =>
      version < FIRST_VERSION_OF_TYPES
        ? { timeoutMs, featureUpdates: updates.map(legacyUpdate) }
        : { timeoutMs, validateOnly, featureUpdates: updates.map(wireUpdate) },
    {
      deadline,
      signal,
      // An older broker would ignore these options.
      ...(validateOnly || unsafe ? { minVersion: FIRST_VERSION_OF_TYPES } : {}),
      errorOf: r => controllerMoved([r.errorCode, ...r.results.map(f => f.errorCode)]),
    },
  )
  const answers = new Map(response.results.map(r => [r.feature, r]))
  return updates.map(({ feature }) => {
    const subject = `feature '${feature}'`
    // From version 2 on there is one error for all of them, and a list only on success.
    const failure = itemError(response.errorCode, response.errorMessage, subject)
    if (failure !== undefined) return { feature, error: failure }
    const answer = answers.get(feature)
    if (answer === undefined)
      return response.results.length === 0 ? { feature } : { feature, error: missingAnswer(subject) }
    return { feature, ...withError(itemError(answer.errorCode, answer.errorMessage, subject)) }
  })
}

function wireUpdate({ feature, maxVersionLevel, upgradeType }: FeatureUpdate): {
  feature: string
  maxVersionLevel: number
  upgradeType: number
} {
  return { feature, maxVersionLevel, upgradeType: upgradeTypes.get(upgradeType ?? 'upgrade') ?? 1 }
}

function legacyUpdate({ feature, maxVersionLevel, upgradeType }: FeatureUpdate): {
  feature: string
  maxVersionLevel: number
  allowDowngrade: boolean
} {
  return { feature, maxVersionLevel, allowDowngrade: (upgradeType ?? 'upgrade') !== 'upgrade' }
}
