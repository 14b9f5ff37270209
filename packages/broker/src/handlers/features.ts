/** UpdateFeatures (KIP-584, KIP-778). */
import {
  ErrorCode,
  UpdateFeaturesServer,
  type Decoded,
  type UpdateFeaturesRequest,
  type UpdateFeaturesResponse,
} from '@ottla/protocol'
import { CLUSTER_NAME } from '../security/acls.ts'
import type { FeatureUpdate } from '../releases/features.ts'
import { route, type RequestContext, type Route } from './request.ts'
import { namedError } from './refusals.ts'
import type { Stores } from './stores.ts'

export const featureRoutes: readonly Route[] = [
  route(UpdateFeaturesServer, update, (_body, errorCode, { version }) => refused(namedError(errorCode), version)),
]

// The first version with upgradeType instead of allowDowngrade.
const TYPE_VERSION = 1
// The last version with a result for each feature.
const LAST_RESULTS_VERSION = 1
// By upgrade type.
const upgradeTypes: readonly FeatureUpdate['kind'][] = ['unknown', 'upgrade', 'safe-downgrade', 'unsafe-downgrade']

// All updates or none.
function update(
  { featureUpdates, validateOnly }: Decoded<UpdateFeaturesRequest>,
  context: RequestContext,
  { features }: Pick<Stores, 'features'>,
): UpdateFeaturesResponse {
  const { version } = context
  if (!context.allows('alter', 'cluster', CLUSTER_NAME)) {
    const errorCode = ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED
    return refused({ errorCode, errorMessage: 'Cluster authorization failed.' }, version)
  }
  const updates = featureUpdates.map(({ feature, maxVersionLevel, upgradeType, allowDowngrade }): FeatureUpdate => {
    const older = allowDowngrade ? 'safe-downgrade' : 'upgrade'
    const kind = version >= TYPE_VERSION ? (upgradeTypes[upgradeType] ?? 'unknown') : older
    return { name: feature, level: maxVersionLevel, kind }
  })
  for (const one of updates) {
    const problem = features.problem(one)
    if (problem !== null) {
      const errorMessage = `No feature was updated. ${problem}`
      return refused({ errorCode: ErrorCode.ERR_INVALID_UPDATE_VERSION, errorMessage }, version)
    }
  }
  if (!validateOnly && updates.length > 0) features.update(updates)
  const results = updates.map(({ name }) => ({ feature: name, errorCode: 0, errorMessage: null }))
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    errorMessage: null,
    ...(version <= LAST_RESULTS_VERSION ? { results } : {}),
  }
}

function refused(
  problem: { readonly errorCode: number; readonly errorMessage: string },
  version: number,
): UpdateFeaturesResponse {
  return { throttleTimeMs: 0, ...problem, ...(version <= LAST_RESULTS_VERSION ? { results: [] } : {}) }
}
