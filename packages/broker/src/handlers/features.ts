/** UpdateFeatures: levels of features, put up and down (KIP-584, KIP-778). */
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
import type { Stores } from './stores.ts'

export const featureRoutes: readonly Route[] = [route(UpdateFeaturesServer, update)]

// The type of upgrade takes the place of "may be a downgrade" from here on.
const TYPE_VERSION = 1
// Each feature has a result of its own until here.
const LAST_RESULTS_VERSION = 1
// By their numbers.
const kinds: readonly FeatureUpdate['kind'][] = ['unknown', 'upgrade', 'safe-downgrade', 'unsafe-downgrade']

// All of them or none.
function update(
  { featureUpdates, validateOnly }: Decoded<UpdateFeaturesRequest>,
  context: RequestContext,
  { features }: Pick<Stores, 'features'>,
): UpdateFeaturesResponse {
  const hasResults = context.version <= LAST_RESULTS_VERSION
  const refused = (errorCode: number, errorMessage: string): UpdateFeaturesResponse => ({
    throttleTimeMs: 0,
    errorCode,
    errorMessage,
    ...(hasResults ? { results: [] } : {}),
  })
  if (!context.allows('alter', 'cluster', CLUSTER_NAME)) {
    return refused(ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED, 'Cluster authorization failed.')
  }
  const updates = featureUpdates.map(({ feature, maxVersionLevel, upgradeType, allowDowngrade }): FeatureUpdate => {
    const older = allowDowngrade ? 'safe-downgrade' : 'upgrade'
    const kind = context.version >= TYPE_VERSION ? (kinds[upgradeType] ?? 'unknown') : older
    return { name: feature, level: maxVersionLevel, kind }
  })
  for (const one of updates) {
    const problem = features.problem(one)
    if (problem !== null) {
      return refused(ErrorCode.ERR_INVALID_UPDATE_VERSION, `Nothing was updated, because of one feature: ${problem}`)
    }
  }
  if (!validateOnly && updates.length > 0) features.update(updates)
  const results = updates.map(({ name }) => ({ feature: name, errorCode: 0, errorMessage: null }))
  return { throttleTimeMs: 0, errorCode: 0, errorMessage: null, ...(hasResults ? { results } : {}) }
}
