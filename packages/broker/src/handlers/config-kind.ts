/** What all types of configurable resources have in common. */
import {
  ErrorCode,
  type Decoded,
  type DescribeConfigsRequest,
  type DescribeConfigsResponseDescribeConfigsResourceResult,
  type IncrementalAlterConfigsRequest,
} from '@ottla/protocol'
import type { RequestContext } from './request.ts'
import type { Stores } from './stores.ts'

export type RequestedResource = Decoded<DescribeConfigsRequest>['resources'][number]
export type ConfigChange = Decoded<IncrementalAlterConfigsRequest>['resources'][number]['configs'][number]
export type DescribedConfig = DescribeConfigsResponseDescribeConfigsResourceResult

export interface Problem {
  readonly errorCode: number
  readonly message: string | null
}

/** One type of resource. */
export interface ConfigKind {
  /** The configuration of a resource, or why it cannot be described. */
  describe(name: string, context: RequestContext, stores: Stores): readonly DescribedConfig[] | Problem
  /** Makes all changes or none. @returns why they are refused, or null */
  alter(
    name: string,
    changes: readonly ConfigChange[],
    validateOnly: boolean,
    context: RequestContext,
    stores: Stores,
  ): Problem | null
  /** Names of the settings that a resource has of its own; null for a type that cannot be replaced as a whole. */
  own(name: string, context: RequestContext, stores: Stores): Iterable<string> | null
}

export const SET = 0
export const DELETE = 1
export const APPEND = 2
export const SUBTRACT = 3

/** Where a value comes from, by its number in DescribeConfigs. */
export const Source = {
  topic: 1,
  broker: 2,
  'all-brokers': 3,
  start: 4,
  default: 5,
  logger: 6,
  'client-metrics': 7,
  group: 8,
} as const

export function problem(errorCode: number, message: string | null = null): Problem {
  return { errorCode, message }
}

export function isProblem(value: object | null): value is Problem {
  return value !== null && 'errorCode' in value
}

/** The value of a list after an append or subtract. */
export function changedList(current: string, operation: number, value: string | null): string {
  const old = words(current)
  const others = words(value ?? '')
  return operation === APPEND
    ? [...old, ...others.filter(word => !old.includes(word))].join(',')
    : old.filter(word => !others.includes(word)).join(',')
}

/** Why changes are refused whatever the type of resource, or null. */
export function changesProblem(changes: readonly ConfigChange[]): Problem | null {
  const names = changes.map(({ name }) => name)
  const twice = names.filter((name, i) => names.indexOf(name) !== i)
  if (twice.length > 0) {
    return problem(ErrorCode.ERR_INVALID_REQUEST, `Error due to duplicate config keys : ${twice.join(',')}`)
  }
  const empty = changes.filter(({ configOperation, value }) => configOperation !== DELETE && value === null)
  if (empty.length === 0) return null
  const list = empty.map(({ name }) => name).join(',')
  return problem(ErrorCode.ERR_INVALID_REQUEST, `Null value not supported for : ${list}`)
}

function words(value: string): string[] {
  return value.split(',').filter(word => word !== '')
}
