/** Configurations of topics, described and altered; those of groups have a file of their own. */
import {
  AlterConfigsServer,
  DescribeConfigsServer,
  ErrorCode,
  IncrementalAlterConfigsServer,
  type AlterConfigsRequest,
  type Decoded,
  type DescribeConfigsRequest,
  type DescribeConfigsResponseDescribeConfigsResult,
  type IncrementalAlterConfigsRequest,
  type IncrementalAlterConfigsResponseAlterConfigsResourceResponse,
} from '@ottla/protocol'
import { CLUSTER_NAME } from '../acls.ts'
import { route, type RequestContext, type Route } from '../request.ts'
import { configProblem, isListConfig, topicConfigType, topicDefaults } from '../topic-configs.ts'
import { nameProblem, type Topic } from '../topics.ts'
import { GROUP_RESOURCE, alterGroupConfigs, describeGroupConfigs } from './group-configs.ts'

const TOPIC = 2
const BROKER = 4
const SOURCE_TOPIC = 1
const SOURCE_DEFAULT = 5

// DescribeConfigs tells of types from here on.
const TYPE_VERSION = 3

const SET = 0
const DELETE = 1
const APPEND = 2
const SUBTRACT = 3

export const configRoutes: readonly Route[] = [
  route(DescribeConfigsServer, ({ resources, includeSynonyms }, context) => ({
    throttleTimeMs: 0,
    results: resources.map(resource => {
      const describeIt = resource.resourceType === GROUP_RESOURCE ? describeGroupConfigs : describe
      return describeIt(resource, includeSynonyms, context)
    }),
  })),
  route(IncrementalAlterConfigsServer, ({ resources, validateOnly }, context) => ({
    throttleTimeMs: 0,
    responses: resources.map(resource => {
      const { resourceType, resourceName } = resource
      const isSame = (other: typeof resource): boolean =>
        other.resourceType === resourceType && other.resourceName === resourceName
      if (resources.filter(isSame).length > 1) {
        const errorMessage = 'Each resource must appear at most once.'
        return { errorCode: ErrorCode.ERR_INVALID_REQUEST, errorMessage, resourceType, resourceName }
      }
      const alterIt = resource.resourceType === GROUP_RESOURCE ? alterGroupConfigs : alter
      return alterIt(resource, validateOnly, context)
    }),
  })),
  route(AlterConfigsServer, ({ resources, validateOnly }, context) => ({
    throttleTimeMs: 0,
    responses: resources.map(resource => replace(resource, validateOnly, context)),
  })),
]

function describe(
  { resourceType, resourceName, configurationKeys }: Decoded<DescribeConfigsRequest>['resources'][number],
  includeSynonyms: boolean,
  context: RequestContext,
): DescribeConfigsResponseDescribeConfigsResult {
  const result = { resourceType, resourceName, errorMessage: null, configs: [] }
  if (resourceType === BROKER) {
    const allowed = context.allows('describe-configs', 'cluster', CLUSTER_NAME)
    const isKnown = resourceName === '' || context.state.brokers.some(({ id }) => String(id) === resourceName)
    if (allowed && !isKnown) return { ...result, errorCode: ErrorCode.ERR_INVALID_REQUEST }
    return { ...result, errorCode: allowed ? ErrorCode.ERR_NO_ERROR : ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED }
  }
  if (resourceType !== TOPIC) return { ...result, errorCode: ErrorCode.ERR_INVALID_REQUEST }
  if (!context.allows('describe-configs', 'topic', resourceName)) {
    return { ...result, errorCode: ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED }
  }
  const topic = context.state.topics.get(resourceName)
  if (topic === undefined) return { ...result, errorCode: unknownTopic(resourceName) }
  const names = [...topicDefaults.keys()].filter(name => configurationKeys === null || configurationKeys.includes(name))
  return {
    ...result,
    errorCode: ErrorCode.ERR_NO_ERROR,
    configs: names.map(name => {
      const own = topic.configs.get(name)
      const fallback = topicDefaults.get(name) ?? null
      const synonyms = [
        ...(own === undefined ? [] : [{ name, value: own, source: SOURCE_TOPIC }]),
        { name, value: fallback, source: SOURCE_DEFAULT },
      ]
      return {
        name,
        value: own ?? fallback,
        readOnly: false,
        configSource: own === undefined ? SOURCE_DEFAULT : SOURCE_TOPIC,
        isSensitive: false,
        ...(context.version >= TYPE_VERSION ? { configType: topicConfigType(name) } : {}),
        synonyms: includeSynonyms ? synonyms : [],
      }
    }),
  }
}

function alter(
  { resourceType, resourceName, configs }: Decoded<IncrementalAlterConfigsRequest>['resources'][number],
  validateOnly: boolean,
  context: RequestContext,
): IncrementalAlterConfigsResponseAlterConfigsResourceResponse {
  const result = (errorCode: number, errorMessage: string | null = null): ReturnType<typeof alter> => ({
    errorCode,
    errorMessage,
    resourceType,
    resourceName,
  })
  if (resourceType !== TOPIC) return result(ErrorCode.ERR_INVALID_REQUEST, 'Only topics can be configured here.')
  if (!context.allows('alter-configs', 'topic', resourceName)) return result(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  const topic = context.state.topics.get(resourceName)
  if (resourceName === '') {
    return result(ErrorCode.ERR_INVALID_REQUEST, 'Default topic resources are not allowed.')
  }
  if (topic === undefined) return result(unknownTopic(resourceName), 'The topic does not exist.')
  const problem = changesProblem(configs)
  if (problem !== null) return result(ErrorCode.ERR_INVALID_REQUEST, problem)
  const changes = new Map<string, string | null>()
  for (const { name, configOperation, value } of configs) {
    if (configOperation === DELETE) {
      changes.set(name, null)
      continue
    }
    if (configOperation > SUBTRACT) return result(ErrorCode.ERR_UNKNOWN, `Unknown operation ${configOperation}`)
    if (configOperation !== SET && !isListConfig(name)) {
      return result(ErrorCode.ERR_INVALID_CONFIG, `Config value append is not allowed for config key: ${name}`)
    }
    const changed = apply(topic, name, configOperation, value)
    const refusal = configProblem(name, changed)
    if (refusal !== null) return result(ErrorCode.ERR_INVALID_CONFIG, refusal)
    changes.set(name, changed)
  }
  if (validateOnly) return result(ErrorCode.ERR_NO_ERROR)
  for (const [name, value] of changes) {
    if (value === null) topic.configs.delete(name)
    else topic.configs.set(name, value)
  }
  context.state.topics.changed(topic)
  return result(ErrorCode.ERR_NO_ERROR)
}

function unknownTopic(name: string): number {
  return nameProblem(name) === null ? ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART : ErrorCode.ERR_TOPIC_EXCEPTION
}

function changesProblem(
  changes: readonly { name: string; configOperation: number; value: string | null }[],
): string | null {
  const names = changes.map(({ name }) => name)
  const twice = names.filter((name, i) => names.indexOf(name) !== i)
  if (twice.length > 0) return `Error due to duplicate config keys : ${twice.join(',')}`
  const empty = changes.filter(({ configOperation, value }) => configOperation !== DELETE && value === null)
  if (empty.length > 0) return `Null value not supported for : ${empty.map(({ name }) => name).join(',')}`
  return null
}

// What is not named goes back to its default.
function replace(
  { resourceType, resourceName, configs }: Decoded<AlterConfigsRequest>['resources'][number],
  validateOnly: boolean,
  context: RequestContext,
): IncrementalAlterConfigsResponseAlterConfigsResourceResponse {
  const empty = configs.filter(({ value }) => value === null).map(({ name }) => name)
  if (empty.length > 0) {
    const errorMessage = `Null value not supported for : ${empty.join(', ')}`
    return { errorCode: ErrorCode.ERR_INVALID_REQUEST, errorMessage, resourceType, resourceName }
  }
  const { topics, groupConfigs } = context.state
  const isGroup = resourceType === GROUP_RESOURCE
  const own = isGroup ? groupConfigs.of(resourceName) : (topics.get(resourceName)?.configs ?? new Map<string, string>())
  const gone = [...own.keys()].filter(name => configs.every(config => config.name !== name))
  const changes = [
    ...gone.map(name => ({ name, configOperation: DELETE, value: null })),
    ...configs.map(({ name, value }) => ({ name, configOperation: SET, value })),
  ]
  const alterIt = isGroup ? alterGroupConfigs : alter
  return alterIt({ resourceType, resourceName, configs: changes }, validateOnly, context)
}

// The value that a setting would have; null for none of its own.
function apply(topic: Topic, name: string, operation: number, value: string | null): string | null {
  const current = (topic.configs.get(name) ?? topicDefaults.get(name) ?? '').split(',').filter(word => word !== '')
  const words = (value ?? '').split(',').filter(word => word !== '')
  switch (operation) {
    case DELETE:
      return null
    case APPEND:
      return [...current, ...words.filter(word => !current.includes(word))].join(',')
    case SUBTRACT:
      return current.filter(word => !words.includes(word)).join(',')
    case SET:
    default:
      return value
  }
}
