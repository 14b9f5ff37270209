/** Every request that the cluster serves. */
import { aclRoutes } from './handlers/acls.ts'
import { authRoutes } from './handlers/auth.ts'
import { clientQuotaRoutes } from './handlers/client-quotas.ts'
import { configResourceRoutes } from './handlers/config-resources.ts'
import { configRoutes } from './handlers/configs.ts'
import { consumerGroupRoutes } from './handlers/consumer-groups.ts'
import { electionRoutes } from './handlers/elections.ts'
import { featureRoutes } from './handlers/features.ts'
import { fetchRoutes } from './handlers/fetch.ts'
import { groupAdminRoutes } from './handlers/group-admin.ts'
import { groupOffsetRoutes } from './handlers/group-offsets.ts'
import { groupRoutes } from './handlers/groups.ts'
import { logDirRoutes } from './handlers/log-dirs.ts'
import { metadataRoutes } from './handlers/metadata.ts'
import { needs } from './handlers/needs-feature.ts'
import { offsetRoutes } from './handlers/offsets.ts'
import { produceRoutes } from './handlers/produce.ts'
import { quorumRoutes } from './handlers/quorum.ts'
import { reassignmentRoutes } from './handlers/reassignments.ts'
import { scramUserRoutes } from './handlers/scram-users.ts'
import { shareFetchRoutes } from './handlers/share-fetch.ts'
import { shareGroupRoutes } from './handlers/share-groups.ts'
import { telemetryRoutes } from './handlers/telemetry.ts'
import { tokenRoutes } from './handlers/tokens.ts'
import { topicPartitionRoutes } from './handlers/topic-partitions.ts'
import { topicRoutes } from './handlers/topics.ts'
import { transactionAdminRoutes } from './handlers/transaction-admin.ts'
import { transactionOffsetRoutes } from './handlers/transaction-offsets.ts'
import { transactionRoutes } from './handlers/transactions.ts'
import { versionRoutes } from './handlers/versions.ts'
import type { Route } from './request.ts'

export const routes: ReadonlyMap<number, Route> = new Map(
  [
    ...versionRoutes,
    ...authRoutes,
    ...metadataRoutes,
    ...topicPartitionRoutes,
    ...produceRoutes,
    ...fetchRoutes,
    ...offsetRoutes,
    ...groupRoutes,
    ...needs('group.version', consumerGroupRoutes),
    ...groupAdminRoutes,
    ...groupOffsetRoutes,
    ...needs('share.version', [...shareGroupRoutes, ...shareFetchRoutes]),
    ...transactionRoutes,
    ...transactionOffsetRoutes,
    ...transactionAdminRoutes,
    ...topicRoutes,
    ...configRoutes,
    ...configResourceRoutes,
    ...aclRoutes,
    ...scramUserRoutes,
    ...tokenRoutes,
    ...electionRoutes,
    ...reassignmentRoutes,
    ...clientQuotaRoutes,
    ...telemetryRoutes,
    ...logDirRoutes,
    ...featureRoutes,
    ...quorumRoutes,
  ].map(route => [route.api.key, route]),
)

const telemetryApis: ReadonlySet<number> = new Set(telemetryRoutes.map(({ api }) => api.key))

/** Numbers of the requests that clients are told of. */
export function servedApis(withTelemetry: boolean): Set<number> {
  return new Set([...routes.keys()].filter(key => withTelemetry || !telemetryApis.has(key)))
}
