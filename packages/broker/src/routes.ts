/** Every request that the cluster serves. */
import { aclRoutes } from './handlers/acls.ts'
import { authRoutes } from './handlers/auth.ts'
import { configRoutes } from './handlers/configs.ts'
import { fetchRoutes } from './handlers/fetch.ts'
import { groupRoutes } from './handlers/groups.ts'
import { metadataRoutes } from './handlers/metadata.ts'
import { produceRoutes } from './handlers/produce.ts'
import { topicRoutes } from './handlers/topics.ts'
import type { Route } from './request.ts'

export const routes: ReadonlyMap<number, Route> = new Map(
  [
    ...authRoutes,
    ...metadataRoutes,
    ...produceRoutes,
    ...fetchRoutes,
    ...groupRoutes,
    ...topicRoutes,
    ...configRoutes,
    ...aclRoutes,
  ].map(route => [route.api.key, route]),
)
