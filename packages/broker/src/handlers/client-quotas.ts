/** DescribeClientQuotas and AlterClientQuotas (KIP-546). */
import { isIP } from 'node:net'
import {
  AlterClientQuotasServer,
  DescribeClientQuotasServer,
  ErrorCode,
  type AlterClientQuotasRequest,
  type AlterClientQuotasResponse,
  type Decoded,
  type DescribeClientQuotasRequest,
  type DescribeClientQuotasResponse,
} from '@ottla/protocol'
import { CLUSTER_NAME } from '../security/acls.ts'
import type { EntityType, QuotaEntity } from '../quotas/client-quotas.ts'
import { route, type RequestContext, type Route } from './request.ts'
import { namedError } from './refusals.ts'
import type { Stores } from './stores.ts'

export const clientQuotaRoutes: readonly Route[] = [
  route(DescribeClientQuotasServer, describe, (_body, errorCode) => ({
    ...{ throttleTimeMs: 0, ...namedError(errorCode), entries: null },
  })),
  route(AlterClientQuotasServer, alter, ({ entries }, errorCode) => ({
    throttleTimeMs: 0,
    entries: entries.map(({ entity }) => ({ ...namedError(errorCode), entity })),
  })),
]

const DENIED = 'Cluster authorization failed.'
const entityTypes: readonly EntityType[] = ['user', 'client-id', 'ip']

// Match types.
const EXACT = 0
const DEFAULT = 1
const SPECIFIED = 2

const LONG_LIMIT = 2 ** 63
const INT_MAX = 2 ** 31 - 1

interface Kind {
  /** Highest value of a quota that has to be a whole number; null if it need not be. */
  readonly max: number | null
}

const userQuotas: ReadonlyMap<string, Kind> = new Map([
  ['producer_byte_rate', { max: LONG_LIMIT }],
  ['consumer_byte_rate', { max: LONG_LIMIT }],
  ['request_percentage', { max: null }],
  ['controller_mutation_rate', { max: null }],
])
const ipQuotas: ReadonlyMap<string, Kind> = new Map([['connection_creation_rate', { max: INT_MAX }]])

type Component = Decoded<DescribeClientQuotasRequest>['components'][number]
type Change = Decoded<AlterClientQuotasRequest>['entries'][number]['ops'][number]

function describe(
  { components, strict }: Decoded<DescribeClientQuotasRequest>,
  context: RequestContext,
  { quotas }: Pick<Stores, 'quotas'>,
): DescribeClientQuotasResponse {
  const refused = (errorCode: number, errorMessage: string): DescribeClientQuotasResponse => ({
    ...{ throttleTimeMs: 0, errorCode, errorMessage, entries: null },
  })
  if (!context.allows('describe-configs', 'cluster', CLUSTER_NAME)) {
    return refused(ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED, DENIED)
  }
  for (const component of components) {
    const problem = componentProblem(component, components)
    if (problem !== null) return refused(...problem)
  }
  const types = components.map(({ entityType }) => entityType)
  if (types.includes('ip') && types.length > 1) {
    return refused(ErrorCode.ERR_INVALID_REQUEST, 'The entity type ip cannot be combined with others.')
  }
  const found = [...quotas.all()].filter(
    ({ entity }) =>
      components.every(component => matches(component, entity)) &&
      (!strict || Object.keys(entity).length === components.length),
  )
  const entries = found.map(({ entity, values }) => ({
    entity: Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName })),
    values: [...values].map(([key, value]) => ({ key, value })),
  }))
  return { throttleTimeMs: 0, errorCode: ErrorCode.ERR_NO_ERROR, errorMessage: null, entries }
}

function componentProblem(
  { entityType, matchType, match }: Component,
  all: readonly Component[],
): [errorCode: number, message: string] | null {
  const wrong = (message: string): [number, string] => [ErrorCode.ERR_INVALID_REQUEST, message]
  if (entityType === '') return wrong('The entity type is empty.')
  if (all.filter(other => other.entityType === entityType).length > 1)
    return wrong(`The entity type ${entityType} appears twice.`)
  if (!isEntityType(entityType)) return [ErrorCode.ERR_UNSUPPORTED_VERSION, `Unknown entity type ${entityType}.`]
  if (matchType > SPECIFIED || matchType < EXACT) return wrong(`Unknown match type ${matchType}.`)
  if ((matchType === EXACT) !== (match !== null))
    return wrong('An exact match needs a name, and other matches cannot have one.')
  return null
}

function matches({ entityType, matchType, match }: Component, entity: QuotaEntity): boolean {
  const name = isEntityType(entityType) ? entity[entityType] : undefined
  switch (matchType) {
    case EXACT:
      return name === match
    case DEFAULT:
      return name === null
    default:
      return name !== undefined
  }
}

function alter(
  { entries, validateOnly }: Decoded<AlterClientQuotasRequest>,
  context: RequestContext,
  { quotas }: Pick<Stores, 'quotas'>,
): AlterClientQuotasResponse {
  const allowed = context.allows('alter-configs', 'cluster', CLUSTER_NAME)
  const answered = new Map<string, AlterClientQuotasResponse['entries'][number]>()
  for (const { entity: parts, ops } of entries) {
    // If a type appears twice, the last one counts.
    const names = new Map(parts.map(({ entityType, entityName }) => [entityType, entityName]))
    const entity = [...names].map(([entityType, entityName]) => ({ entityType, entityName }))
    const key = JSON.stringify(entity)
    const problem = answered.has(key) ? 'The entity appears twice in the request.' : alterProblem(names, ops)
    if (!allowed) {
      answered.set(key, { errorCode: ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED, errorMessage: DENIED, entity })
    } else if (problem !== null) {
      answered.set(key, { errorCode: ErrorCode.ERR_INVALID_REQUEST, errorMessage: problem, entity })
    } else {
      answered.set(key, { errorCode: ErrorCode.ERR_NO_ERROR, errorMessage: null, entity })
      if (validateOnly) continue
      const known: QuotaEntity = Object.fromEntries(names)
      for (const { key: quota, value, remove } of ops) quotas.set(known, quota, remove ? null : value)
    }
  }
  return { throttleTimeMs: 0, entries: [...answered.values()] }
}

function alterProblem(names: ReadonlyMap<string, string | null>, changes: readonly Change[]): string | null {
  if (names.size === 0) return 'The entity is empty.'
  for (const [type, name] of names) {
    if (!isEntityType(type)) return `Unknown entity type ${type}.`
    if (name === '') return `The name of a ${type} is empty.`
  }
  const ip = names.get('ip')
  if (ip !== undefined && names.size > 1) return 'The entity type ip cannot be combined with others.'
  if (typeof ip === 'string' && !isHost(ip)) return `${ip} is neither an IP address nor a host name.`
  const keys = changes.map(({ key }) => key)
  if (new Set(keys).size < keys.length) return 'A quota appears twice in the request.'
  const kinds = ip === undefined ? userQuotas : ipQuotas
  for (const change of changes) {
    const problem = change.remove ? null : valueProblem(change, kinds)
    if (problem !== null) return problem
  }
  return null
}

function valueProblem({ key, value }: Change, kinds: ReadonlyMap<string, Kind>): string | null {
  const kind = kinds.get(key)
  if (kind === undefined) return `The entity has no quota ${key}.`
  if (value <= 0) return `The value of ${key} must be greater than 0.`
  if (kind.max === null) return null
  if (value > kind.max) return `The value of ${key} is too large.`
  return value % 1 > 1e-6 ? `The value of ${key} must be a whole number.` : null
}

function isEntityType(type: string): type is EntityType {
  return entityTypes.some(known => known === type)
}

// A real broker would resolve the name.
function isHost(name: string): boolean {
  return isIP(name) !== 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(name)
}
