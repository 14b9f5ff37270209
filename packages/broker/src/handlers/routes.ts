/** Every API that the cluster serves. */
import { aclRoutes } from './acls.ts'
import { authRoutes } from './auth.ts'
import { clientQuotaRoutes } from './client-quotas.ts'
import { configResourceRoutes } from './config-resources.ts'
import { configRoutes } from './configs.ts'
import { consumerGroupRoutes } from './consumer-groups.ts'
import { electionRoutes } from './elections.ts'
import { featureRoutes } from './features.ts'
import { fetchRoutes } from './fetch.ts'
import { groupAdminRoutes } from './group-admin.ts'
import { groupOffsetRoutes } from './group-offsets.ts'
import { groupRoutes } from './groups.ts'
import { logDirRoutes } from './log-dirs.ts'
import { metadataRoutes } from './metadata.ts'
import { needsFeature } from './needs-feature.ts'
import { offsetRoutes } from './offsets.ts'
import { produceRoutes } from './produce.ts'
import { quorumRoutes } from './quorum.ts'
import { reassignmentRoutes } from './reassignments.ts'
import { scramUserRoutes } from './scram-users.ts'
import { shareFetchRoutes } from './share-fetch.ts'
import { shareGroupRoutes } from './share-groups.ts'
import { streamsGroupRoutes } from './streams-groups.ts'
import { telemetryRoutes } from './telemetry.ts'
import { tokenRoutes } from './tokens.ts'
import { topicPartitionRoutes } from './topic-partitions.ts'
import { topicRoutes } from './topics.ts'
import { transactionAdminRoutes } from './transaction-admin.ts'
import { transactionOffsetRoutes } from './transaction-offsets.ts'
import { transactionRoutes } from './transactions.ts'
import { versionRoutes } from './versions.ts'
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
    ...needsFeature('group.version', consumerGroupRoutes),
    ...groupAdminRoutes,
    ...groupOffsetRoutes,
    ...needsFeature('share.version', [...shareGroupRoutes, ...shareFetchRoutes]),
    ...needsFeature('streams.version', streamsGroupRoutes),
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

/** The keys of the APIs that clients see. */
export function servedApis(withTelemetry: boolean): Set<number> {
  return new Set([...routes.keys()].filter(key => withTelemetry || !telemetryApis.has(key)))
}
