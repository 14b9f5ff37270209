import { AlterClientQuotas, DescribeClientQuotas } from '@ottla/protocol'
import type { KafkaError } from '../errors.ts'
import { requireDistinct, requireItems, requireName, requireThat, requireWord } from './arguments.ts'
import { controllerMoved, itemError, missingAnswer, withError, type AdminCall } from './call.ts'

/**
 * The types of a quota's entity: `user` and `client-id`, alone or together, or `ip`.
 * @since 0.1.0
 */
export type QuotaEntityType = 'user' | 'client-id' | 'ip'

/**
 * The entity of a quota. Null is the default entity, for those without a quota of their own.
 * @since 0.1.0
 */
export type QuotaEntity = Readonly<Partial<Record<QuotaEntityType, string | null>>>

/**
 * Selects quotas by one part of their entity.
 * @since 0.1.0
 */
export type QuotaFilterComponent =
  | { readonly type: QuotaEntityType; readonly match: 'exact'; readonly name: string }
  | { readonly type: QuotaEntityType; readonly match: 'default' | 'any' }

/**
 * Selects quotas; all of them without components.
 * @since 0.1.0
 */
export interface QuotaFilter {
  readonly components?: readonly QuotaFilterComponent[]
  /** Only entities without other parts than those named. Default false. */
  readonly strict?: boolean
}

/**
 * The quotas of one entity, by key: `producer_byte_rate`, `consumer_byte_rate`, `request_percentage`,
 * `controller_mutation_rate`, `connection_creation_rate`.
 * @since 0.1.0
 */
export interface ClientQuotas {
  entity: QuotaEntity
  quotas: Record<string, number>
}

/**
 * Changes of one entity's quotas; null removes a quota, quotas not named stay as they are.
 * @since 0.1.0
 */
export interface ClientQuotaAlteration {
  readonly entity: QuotaEntity
  readonly quotas: Readonly<Record<string, number | null>>
}

/**
 * The outcome for one entity.
 * @since 0.1.0
 */
export interface ClientQuotaResult {
  entity: QuotaEntity
  error?: KafkaError
}

const entityTypes: ReadonlyMap<string, number> = new Map(['user', 'client-id', 'ip'].map((type, i) => [type, i]))
// The protocol has the same words for entity types; only the ways to match have numbers.
const matches: ReadonlyMap<string, number> = new Map([
  ['exact', 0],
  ['default', 1],
  ['any', 2],
])

/** Rejects with the broker's error: there is only one answer. */
export async function describeClientQuotas(call: AdminCall, filter: QuotaFilter): Promise<ClientQuotas[]> {
  const components = (filter.components ?? []).map((component, i) => {
    requireWord(component.type, entityTypes, `components[${i}].type`)
    const matchType = requireWord(component.match, matches, `components[${i}].match`)
    const match = component.match === 'exact' ? requireName(component.name, `components[${i}].name`) : null
    return { entityType: component.type, matchType, match }
  })
  requireDistinct(components, c => c.entityType, 'components')
  const { deadline, signal } = call
  const body = { components, strict: filter.strict ?? false }
  const response = await call.cluster.request({ to: 'any' }, DescribeClientQuotas, body, { deadline, signal })
  const error = itemError(response.errorCode, response.errorMessage, 'describing quotas')
  if (error !== undefined) throw error
  return (response.entries ?? []).map(entry => ({
    entity: entityOf(entry.entity),
    quotas: Object.fromEntries(entry.values.map(v => [v.key, v.value])),
  }))
}

export async function alterClientQuotas(
  call: AdminCall,
  alterations: readonly ClientQuotaAlteration[],
): Promise<ClientQuotaResult[]> {
  requireItems(alterations, 'alterations')
  const entries = alterations.map(({ entity, quotas }, i) => {
    const parts = wireEntity(entity, `alterations[${i}].entity`)
    const keys = Object.entries(quotas)
    requireItems(keys, `quotas of ${entitySubject(entity)}`)
    const ops = keys.map(([key, value]) => {
      const given: unknown = value
      requireThat(
        given === null || (typeof given === 'number' && given >= 0 && Number.isFinite(given)),
        `quota '${key}' of ${entitySubject(entity)} must be a number from 0 up, or null to remove it`,
      )
      return { key, value: value ?? 0, remove: value === null }
    })
    return { entity: parts, ops }
  })
  requireDistinct(alterations, a => entitySubject(a.entity), 'alterations')
  const { deadline, signal, validateOnly } = call
  const response = await call.cluster.request(
    { to: 'controller' },
    AlterClientQuotas,
    { entries, validateOnly },
    { deadline, signal, errorOf: r => controllerMoved(r.entries.map(e => e.errorCode)) },
  )
  const answers = new Map(response.entries.map(e => [entitySubject(entityOf(e.entity)), e]))
  return alterations.map(({ entity }) => {
    const subject = entitySubject(entity)
    const answer = answers.get(subject)
    const error =
      answer === undefined ? missingAnswer(subject) : itemError(answer.errorCode, answer.errorMessage, subject)
    return { entity, ...withError(error) }
  })
}

function wireEntity(entity: QuotaEntity, what: string): { entityType: string; entityName: string | null }[] {
  const parts = Object.entries(entity).map(([entityType, name]) => {
    requireWord(entityType, entityTypes, `a key of ${what}`)
    return { entityType, entityName: name === null ? null : requireName(name, `${what}['${entityType}']`) }
  })
  return [...requireItems(parts, what)]
}

function entityOf(parts: readonly { entityType: string; entityName: string | null }[]): QuotaEntity {
  // Brokers send the parts in any order; here the user comes first.
  const inOrder = [...parts].sort((a, b) => orderOf(a.entityType) - orderOf(b.entityType))
  return Object.fromEntries(inOrder.map(p => [p.entityType, p.entityName]))
}

function orderOf(entityType: string): number {
  return entityTypes.get(entityType) ?? entityTypes.size
}

/** The entity as text, whatever the order of its parts. */
function entitySubject(entity: QuotaEntity): string {
  return Object.entries(entity)
    .map(([type, name]) => (name === null ? `default ${type}` : `${type} '${name}'`))
    .sort()
    .join(', ')
}
