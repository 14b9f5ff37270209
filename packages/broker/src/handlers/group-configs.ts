/** Configurations of groups, described and altered. */
import {
  ErrorCode,
  type Decoded,
  type DescribeConfigsRequest,
  type DescribeConfigsResponseDescribeConfigsResult,
  type IncrementalAlterConfigsRequest,
  type IncrementalAlterConfigsResponseAlterConfigsResourceResponse,
} from '@ottla/protocol'
import { groupConfigDefaults, groupConfigProblem } from '../groups/configs.ts'
import type { RequestContext } from '../request.ts'

/** The type of resource that a group is. */
export const GROUP_RESOURCE = 32

const SOURCE_DEFAULT = 5
const SOURCE_GROUP = 8
const SET = 0
const DELETE = 1

/** A group may be configured before it is there, so that none is unknown. */
export function describeGroupConfigs(
  { resourceType, resourceName, configurationKeys }: Decoded<DescribeConfigsRequest>['resources'][number],
  includeSynonyms: boolean,
  context: RequestContext,
): DescribeConfigsResponseDescribeConfigsResult {
  const result = { resourceType, resourceName, errorMessage: null, configs: [] }
  if (!context.allows('describe-configs', 'group', resourceName)) {
    return { ...result, errorCode: ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED }
  }
  if (resourceName === '') {
    return { ...result, errorCode: ErrorCode.ERR_INVALID_REQUEST, errorMessage: 'Group name must not be empty' }
  }
  const own = context.state.groupConfigs.of(resourceName)
  const asked = [...groupConfigDefaults].filter(([name]) => configurationKeys?.includes(name) ?? true)
  return {
    ...result,
    errorCode: ErrorCode.ERR_NO_ERROR,
    configs: asked.map(([name, fallback]) => {
      const value = own.get(name)
      const isOwn = value !== undefined
      const synonyms = [
        ...(isOwn ? [{ name, value, source: SOURCE_GROUP }] : []),
        { name, value: fallback, source: SOURCE_DEFAULT },
      ]
      return {
        name,
        value: value ?? fallback,
        readOnly: false,
        configSource: isOwn ? SOURCE_GROUP : SOURCE_DEFAULT,
        isSensitive: false,
        synonyms: includeSynonyms ? synonyms : [],
      }
    }),
  }
}

/** All changes or none. */
export function alterGroupConfigs(
  { resourceType, resourceName, configs }: Decoded<IncrementalAlterConfigsRequest>['resources'][number],
  validateOnly: boolean,
  context: RequestContext,
): IncrementalAlterConfigsResponseAlterConfigsResourceResponse {
  const result = (errorCode: number, errorMessage: string | null = null): ReturnType<typeof alterGroupConfigs> => ({
    errorCode,
    errorMessage,
    resourceType,
    resourceName,
  })
  if (!context.allows('alter-configs', 'group', resourceName)) return result(ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED)
  if (resourceName === '') return result(ErrorCode.ERR_INVALID_REQUEST, 'Default group resources are not allowed.')
  for (const { name, configOperation, value } of configs) {
    if (configOperation !== SET && configOperation !== DELETE) {
      return result(ErrorCode.ERR_INVALID_CONFIG, `Config value append is not allowed for config key: ${name}`)
    }
    const problem = groupConfigProblem(name, configOperation === DELETE ? null : value)
    if (problem !== null) return result(ErrorCode.ERR_INVALID_CONFIG, problem)
  }
  if (!validateOnly) {
    for (const { name, configOperation, value } of configs) {
      context.state.groupConfigs.set(resourceName, name, configOperation === DELETE ? null : value)
    }
  }
  return result(ErrorCode.ERR_NO_ERROR)
}
