/** ListConfigResources: the resources that have a configuration (KIP-1000, KIP-1142). */
import {
  ErrorCode,
  ListConfigResourcesServer,
  type Decoded,
  type ListConfigResourcesRequest,
  type ListConfigResourcesResponse,
} from '@ottla/protocol'
import { CLUSTER_NAME } from '../security/acls.ts'
import { route, type RequestContext, type Route } from './request.ts'
import type { Stores } from './stores.ts'

export const configResourceRoutes: readonly Route[] = [
  route(ListConfigResourcesServer, list, (_body, errorCode) => refused(errorCode)),
]

const CLIENT_METRICS = 16
// The first version with other resources than client metrics.
const TYPES_VERSION = 1

type ConfiguredStores = Pick<Stores, 'brokers' | 'clientMetrics' | 'groups' | 'topics'>

// By resource type.
const names = new Map<number, (stores: ConfiguredStores) => Iterable<string>>([
  [32, ({ groups }) => groups.configs.groupIds()],
  [CLIENT_METRICS, ({ clientMetrics }) => clientMetrics.names()],
  [8, brokerIds],
  [4, brokerIds],
  [2, ({ topics }) => [...topics.all()].map(({ name }) => name)],
])

function list(
  { resourceTypes }: Decoded<ListConfigResourcesRequest>,
  context: RequestContext,
  stores: ConfiguredStores,
): ListConfigResourcesResponse {
  const hasTypes = context.version >= TYPES_VERSION
  if (!context.allows('describe-configs', 'cluster', CLUSTER_NAME)) {
    return refused(ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED)
  }
  if (resourceTypes.some(type => !names.has(type))) return refused(ErrorCode.ERR_UNSUPPORTED_VERSION)
  const isRequested = (type: number): boolean =>
    hasTypes ? resourceTypes.length === 0 || resourceTypes.includes(type) : type === CLIENT_METRICS
  const requested = [...names].filter(([type]) => isRequested(type))
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.ERR_NO_ERROR,
    configResources: requested.flatMap(([resourceType, namesOf]) =>
      [...namesOf(stores)].map(resourceName => ({ resourceName, ...(hasTypes ? { resourceType } : {}) })),
    ),
  }
}

function refused(errorCode: number): ListConfigResourcesResponse {
  return { throttleTimeMs: 0, errorCode, configResources: [] }
}

function brokerIds({ brokers }: Pick<Stores, 'brokers'>): string[] {
  return brokers.live().map(({ id }) => String(id))
}
