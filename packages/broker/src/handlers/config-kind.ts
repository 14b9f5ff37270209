/** What the resources that have a configuration have in common. */
import {
  ErrorCode,
  type Decoded,
  type DescribeConfigsRequest,
  type DescribeConfigsResponseDescribeConfigsResourceResult,
  type IncrementalAlterConfigsRequest,
} from '@ottla/protocol'
import type { RequestContext } from './request.ts'
import type { Stores } from './stores.ts'

export type AskedResource = Decoded<DescribeConfigsRequest>['resources'][number]
export type ConfigChange = Decoded<IncrementalAlterConfigsRequest>['resources'][number]['configs'][number]
export type DescribedConfig = DescribeConfigsResponseDescribeConfigsResourceResult

export interface Problem {
  readonly errorCode: number
  readonly message: string | null
}

/** One type of resource. */
export interface ConfigKind {
  /** What a resource has; a problem if it cannot be told. */
  describe(name: string, context: RequestContext, stores: Stores): readonly DescribedConfig[] | Problem
  /** All changes or none. @returns the problem that stands in the way, null for none */
  alter(
    name: string,
    changes: readonly ConfigChange[],
    validateOnly: boolean,
    context: RequestContext,
    stores: Stores,
  ): Problem | null
  /** Names of what is set for a resource; null for a type that cannot be replaced as a whole. */
  own(name: string, context: RequestContext, stores: Stores): Iterable<string> | null
}

export const SET = 0
export const DELETE = 1
export const APPEND = 2
export const SUBTRACT = 3

/** Where a value comes from, as DescribeConfigs numbers it. */
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

/** The value that a list has after something was appended or taken away. */
export function changedList(current: string, operation: number, value: string | null): string {
  const old = words(current)
  const others = words(value ?? '')
  return operation === APPEND
    ? [...old, ...others.filter(word => !old.includes(word))].join(',')
    : old.filter(word => !others.includes(word)).join(',')
}

/** Why the words of a change cannot be, whatever they are about, or null. */
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
