/** DescribeConfigs, IncrementalAlterConfigs and AlterConfigs; each type of resource has a file of its own. */
import {
  AlterConfigsServer,
  DescribeConfigsServer,
  ErrorCode,
  IncrementalAlterConfigsServer,
  type DescribeConfigsResponseDescribeConfigsResult,
  type IncrementalAlterConfigsResponseAlterConfigsResourceResponse,
} from '@ottla/protocol'
import { route, type RequestContext, type Route } from './request.ts'
import { namedError } from './refusals.ts'
import type { Stores } from './stores.ts'
import { documentationOf } from '../configs/documentation.ts'
import { brokerConfigs } from './broker-configs.ts'
import { clientMetricsConfigs } from './client-metrics-configs.ts'
import {
  DELETE,
  SET,
  changesProblem,
  isProblem,
  problem,
  type RequestedResource,
  type ConfigChange,
  type ConfigKind,
  type DescribedConfig,
  type Problem,
} from './config-kind.ts'
import { groupConfigs } from './group-configs.ts'
import { loggerConfigs } from './logger-configs.ts'
import { topicConfigs } from './topic-configs.ts'

const kinds: ReadonlyMap<number, ConfigKind> = new Map([
  [2, topicConfigs],
  [4, brokerConfigs],
  [8, loggerConfigs],
  [16, clientMetricsConfigs],
  [32, groupConfigs],
])

const LOGGER = 8

// The first version of DescribeConfigs with types and documentation.
const TYPE_VERSION = 3

interface Resource {
  readonly resourceType: number
  readonly resourceName: string
}

export const configRoutes: readonly Route[] = [
  route(
    DescribeConfigsServer,
    ({ resources, includeSynonyms, includeDocumentation }, context, stores) => ({
      throttleTimeMs: 0,
      results: resources.map(resource => describe(resource, includeSynonyms, includeDocumentation, context, stores)),
    }),
    ({ resources }, errorCode) => ({
      throttleTimeMs: 0,
      results: resources.map(({ resourceType, resourceName }) => ({
        ...namedError(errorCode),
        resourceType,
        resourceName,
        configs: [],
      })),
    }),
  ),
  route(
    IncrementalAlterConfigsServer,
    ({ resources, validateOnly }, context, stores) => ({
      throttleTimeMs: 0,
      responses: resources.map(resource =>
        answer(
          resource,
          duplicateProblem(resource, resources) ?? alter(resource, resource.configs, validateOnly, context, stores),
        ),
      ),
    }),
    ({ resources }, errorCode) => ({ throttleTimeMs: 0, responses: resources.map(refusedBy(errorCode)) }),
  ),
  route(
    AlterConfigsServer,
    ({ resources, validateOnly }, context, stores) => ({
      throttleTimeMs: 0,
      responses: resources.map(resource =>
        answer(
          resource,
          duplicateProblem(resource, resources) ?? replace(resource, resource.configs, validateOnly, context, stores),
        ),
      ),
    }),
    ({ resources }, errorCode) => ({ throttleTimeMs: 0, responses: resources.map(refusedBy(errorCode)) }),
  ),
]

function describe(
  { resourceType, resourceName, configurationKeys }: RequestedResource,
  includeSynonyms: boolean,
  includeDocumentation: boolean,
  context: RequestContext,
  stores: Stores,
): DescribeConfigsResponseDescribeConfigsResult {
  const result = { resourceType, resourceName }
  const found =
    kinds.get(resourceType)?.describe(resourceName, context, stores) ?? problem(ErrorCode.ERR_INVALID_REQUEST)
  if (isProblem(found)) return { ...result, errorCode: found.errorCode, errorMessage: found.message ?? '', configs: [] }
  const isRequested = (name: string): boolean =>
    configurationKeys === null || configurationKeys.length === 0 || configurationKeys.includes(name)
  const described = ({ configType = 0, synonyms, ...config }: DescribedConfig): DescribedConfig => ({
    ...config,
    synonyms: includeSynonyms ? synonyms : [],
    ...(context.version >= TYPE_VERSION ? { configType, documentation: documentation(config.name) } : {}),
  })
  // Kafka answers an empty text for loggers even without includeDocumentation.
  const documentation = (name: string): string | null => {
    if (resourceType === LOGGER) return ''
    return includeDocumentation ? documentationOf(resourceType, name) : null
  }
  const configs = found.filter(({ name }) => isRequested(name)).map(described)
  return { ...result, errorCode: ErrorCode.ERR_NO_ERROR, errorMessage: '', configs }
}

function alter(
  { resourceType, resourceName }: Resource,
  changes: readonly ConfigChange[],
  validateOnly: boolean,
  context: RequestContext,
  stores: Stores,
): Problem | null {
  const wrong = changesProblem(changes)
  if (wrong !== null) return wrong
  const kind = kinds.get(resourceType)
  if (kind === undefined) return unknownType(resourceType)
  return kind.alter(resourceName, changes, validateOnly, context, stores)
}

// Settings that the request does not name go back to their defaults.
function replace(
  resource: Resource,
  configs: readonly { readonly name: string; readonly value: string | null }[],
  validateOnly: boolean,
  context: RequestContext,
  stores: Stores,
): Problem | null {
  const own = kinds.get(resource.resourceType)?.own(resource.resourceName, context, stores) ?? null
  if (own === null) return unknownType(resource.resourceType)
  const gone = [...own].filter(name => configs.every(config => config.name !== name))
  const changes = [
    ...gone.map(name => ({ name, configOperation: DELETE, value: null })),
    ...configs.map(({ name, value }) => ({ name, configOperation: SET, value })),
  ]
  return alter(resource, changes, validateOnly, context, stores)
}

function duplicateProblem({ resourceType, resourceName }: Resource, all: readonly Resource[]): Problem | null {
  const same = all.filter(other => other.resourceType === resourceType && other.resourceName === resourceName)
  return same.length > 1 ? problem(ErrorCode.ERR_INVALID_REQUEST, 'Each resource must appear at most once.') : null
}

function unknownType(resourceType: number): Problem {
  return problem(ErrorCode.ERR_INVALID_REQUEST, `Resources of type ${resourceType} cannot be configured like this.`)
}

function answer(
  { resourceType, resourceName }: Resource,
  found: Problem | null,
): IncrementalAlterConfigsResponseAlterConfigsResourceResponse {
  const { errorCode, message } = found ?? problem(ErrorCode.ERR_NO_ERROR)
  return { errorCode, errorMessage: message, resourceType, resourceName }
}

function refusedBy(
  errorCode: number,
): (resource: Resource) => IncrementalAlterConfigsResponseAlterConfigsResourceResponse {
  return ({ resourceType, resourceName }) => ({ ...namedError(errorCode), resourceType, resourceName })
}
