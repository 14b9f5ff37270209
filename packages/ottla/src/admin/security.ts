import { CreateAcls, DeleteAcls, DescribeAcls, ErrorCode } from '@ottla/protocol'
import type { KafkaError } from '../errors.ts'
import {
  operationWords,
  patternTypeWords,
  permissionWords,
  resourceTypeWords,
  type AclOperation,
  type AclPatternType,
  type AclPermission,
  type AclResourceType,
} from './acl-words.ts'
import { requireItems, requireName, requireThat } from './arguments.ts'
import { controllerMoved, itemError, missingAnswer, withError, type AdminCall } from './call.ts'

/**
 * One access rule.
 * @since 0.1.0
 */
export interface AclBinding {
  readonly resourceType: AclResourceType
  /** The resource's name, a prefix of it, or `*`; `kafka-cluster` for the cluster. */
  readonly name: string
  readonly resourcePatternType: AclPatternType
  /** `User:alice`, or `User:*` for everybody. */
  readonly principal: string
  /** The address the client comes from, or `*`. */
  readonly host: string
  readonly operation: AclOperation
  readonly permissionType: AclPermission
}

/**
 * Selects rules; an omitted field matches anything.
 * @since 0.1.0
 */
export interface AclBindingFilter {
  readonly resourceType?: AclResourceType | 'any'
  readonly name?: string
  /** `match`: literal, prefixed and wildcard rules that concern the resource called `name`. */
  readonly resourcePatternType?: AclPatternType | 'any' | 'match'
  readonly principal?: string
  readonly host?: string
  readonly operation?: AclOperation | 'any'
  readonly permissionType?: AclPermission | 'any'
}

/**
 * The outcome for one rule; without an error it is in force.
 * @since 0.1.0
 */
export interface CreateAclResult {
  error?: KafkaError
}

/**
 * The outcome for one filter.
 * @since 0.1.0
 */
export interface DeleteAclsResult {
  /** The deleted rules. */
  bindings: AclBinding[]
  error?: KafkaError
}

export async function createAcls(call: AdminCall, bindings: readonly AclBinding[]): Promise<CreateAclResult[]> {
  requireItems(bindings, 'bindings')
  const creations = bindings.map((binding, i) => {
    requireName(binding.name, `bindings[${i}].name`)
    requireName(binding.host, `bindings[${i}].host`)
    checkPrincipal(binding.principal, `bindings[${i}].principal`)
    return {
      resourceType: resourceTypeWords.number(binding.resourceType),
      resourceName: binding.name,
      resourcePatternType: patternTypeWords.number(binding.resourcePatternType),
      principal: binding.principal,
      host: binding.host,
      operation: operationWords.number(binding.operation),
      permissionType: permissionWords.number(binding.permissionType),
    }
  })
  const { deadline, signal } = call
  const response = await call.cluster.request(
    { to: 'controller' },
    CreateAcls,
    { creations },
    {
      deadline,
      signal,
      errorOf: r => controllerMoved(r.results.map(result => result.errorCode)),
    },
  )
  return bindings.map((binding, i) => {
    const answer = response.results[i]
    const subject = describeBinding(binding)
    return withError(
      answer === undefined ? missingAnswer(subject) : itemError(answer.errorCode, answer.errorMessage, subject),
    )
  })
}

/** Rejects with the broker's error: there is only one answer. */
export async function describeAcls(call: AdminCall, filter: AclBindingFilter): Promise<AclBinding[]> {
  const wire = wireFilter(filter)
  const { deadline, signal } = call
  const response = await call.cluster.request({ to: 'any' }, DescribeAcls, wire, { deadline, signal })
  const error = itemError(response.errorCode, response.errorMessage, 'describing ACLs')
  if (error !== undefined) throw error
  return response.resources.flatMap(resource =>
    resource.acls.flatMap(acl =>
      fromWire({
        ...acl,
        resourceType: resource.resourceType,
        resourceName: resource.resourceName,
        patternType: resource.patternType,
      }),
    ),
  )
}

export async function deleteAcls(call: AdminCall, filters: readonly AclBindingFilter[]): Promise<DeleteAclsResult[]> {
  requireItems(filters, 'filters')
  const wire = filters.map(wireFilter)
  const { deadline, signal } = call
  const response = await call.cluster.request(
    { to: 'controller' },
    DeleteAcls,
    { filters: wire },
    {
      deadline,
      signal,
      errorOf: r => controllerMoved(r.filterResults.map(result => result.errorCode)),
    },
  )
  return filters.map((_, i) => {
    const subject = `ACL filter ${i}`
    const answer = response.filterResults[i]
    if (answer === undefined) return { bindings: [], error: missingAnswer(subject) }
    const error = itemError(answer.errorCode, answer.errorMessage, subject)
    if (error !== undefined) return { bindings: [], error }
    const gone = answer.matchingAcls.filter(acl => acl.errorCode === ErrorCode.ERR_NO_ERROR)
    const kept = answer.matchingAcls.find(acl => acl.errorCode !== ErrorCode.ERR_NO_ERROR)
    const keptError = kept === undefined ? undefined : itemError(kept.errorCode, kept.errorMessage, subject)
    return { bindings: gone.flatMap(fromWire), ...withError(keptError) }
  })
}

function wireFilter(filter: AclBindingFilter): {
  resourceTypeFilter: number
  resourceNameFilter: string | null
  patternTypeFilter: number
  principalFilter: string | null
  hostFilter: string | null
  operation: number
  permissionType: number
} {
  const given: unknown = filter
  requireThat(typeof given === 'object' && given !== null, 'an ACL filter must be an object')
  if (filter.name !== undefined) requireName(filter.name, 'name of an ACL filter')
  if (filter.host !== undefined) requireName(filter.host, 'host of an ACL filter')
  if (filter.principal !== undefined) checkPrincipal(filter.principal, 'principal of an ACL filter')
  return {
    resourceTypeFilter: resourceTypeWords.filterNumber(filter.resourceType),
    resourceNameFilter: filter.name ?? null,
    patternTypeFilter: patternTypeWords.filterNumber(filter.resourcePatternType),
    principalFilter: filter.principal ?? null,
    hostFilter: filter.host ?? null,
    operation: operationWords.filterNumber(filter.operation),
    permissionType: permissionWords.filterNumber(filter.permissionType),
  }
}

interface WireAcl {
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}

/** The rule as an array; empty for a rule with a word of a later Kafka, which cannot be expressed. */
function fromWire(acl: WireAcl): AclBinding[] {
  const resourceType = resourceTypeWords.word(acl.resourceType)
  const resourcePatternType = patternTypeWords.word(acl.patternType)
  const operation = operationWords.word(acl.operation)
  const permissionType = permissionWords.word(acl.permissionType)
  if (resourceType === undefined || resourcePatternType === undefined) return []
  if (operation === undefined || permissionType === undefined) return []
  const { resourceName: name, principal, host } = acl
  return [{ resourceType, name, resourcePatternType, principal, host, operation, permissionType }]
}

function checkPrincipal(principal: string, what: string): void {
  requireName(principal, what)
  requireThat(/^[^:]+:./s.test(principal), `${what} must look like 'User:alice', not '${principal}'`)
}

function describeBinding(binding: AclBinding): string {
  const { permissionType, principal, operation, resourceType, name } = binding
  return `ACL '${permissionType} ${principal} to ${operation} ${resourceType} ${name}'`
}
