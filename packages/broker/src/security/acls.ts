/** Authorization by the rules of Kafka's StandardAuthorizer. */

/**
 * The type of a rule's resource.
 * @since 0.1.0
 */
export type AclResourceType = 'topic' | 'group' | 'cluster' | 'transactional-id' | 'delegation-token' | 'user'
/**
 * Whether a rule applies to one name, or to all names with that prefix (KIP-290).
 * @since 0.1.0
 */
export type AclPatternType = 'literal' | 'prefixed'
/**
 * An operation on a resource.
 * @since 0.1.0
 */
export type AclOperation =
  | 'all'
  | 'read'
  | 'write'
  | 'create'
  | 'delete'
  | 'alter'
  | 'describe'
  | 'cluster-action'
  | 'describe-configs'
  | 'alter-configs'
  | 'idempotent-write'
  | 'create-tokens'
  | 'describe-tokens'
  | 'two-phase-commit'

/**
 * Allows or denies a principal an operation on a resource.
 * @since 0.1.0
 */
export interface AclBinding {
  readonly resourceType: AclResourceType
  /** The resource's name or its prefix; `*` for all. The cluster's is `kafka-cluster`. */
  readonly name: string
  readonly resourcePatternType: AclPatternType
  /** `User:alice`, or `User:*` for everyone. */
  readonly principal: string
  /** The client's address, or `*` for any. */
  readonly host: string
  readonly permissionType: 'allow' | 'deny'
  readonly operation: AclOperation
}

/** Matches bindings; null matches anything. */
export interface AclFilter {
  readonly resourceType: AclResourceType | null
  readonly name: string | null
  readonly patternType: AclPatternType | 'any' | 'match'
  readonly principal: string | null
  readonly host: string | null
  readonly operation: AclOperation | null
  readonly permissionType: 'allow' | 'deny' | null
}

/** The cluster's name as a resource. */
export const CLUSTER_NAME = 'kafka-cluster'

// Permission for an operation on the right implies the one on the left.
const impliedBy: Partial<Record<AclOperation, readonly AclOperation[]>> = {
  describe: ['read', 'write', 'delete', 'alter'],
  'describe-configs': ['alter-configs'],
}

export class Authorizer {
  readonly #enforced: boolean
  readonly #superUsers: ReadonlySet<string>
  readonly #allowsWithoutAcl: boolean
  #bindings: AclBinding[]

  /**
   * @param bindings null: there is no authorizer, and everyone may do everything
   * @param allowsWithoutAcl whether everyone may use what no binding names (`allow.everyone.if.no.acl.found`)
   */
  constructor(bindings: readonly AclBinding[] | null, superUsers: readonly string[], allowsWithoutAcl = false) {
    this.#enforced = bindings !== null
    this.#allowsWithoutAcl = allowsWithoutAcl
    this.#bindings = [...(bindings ?? [])]
    this.#superUsers = new Set(superUsers.map(user => (user.includes(':') ? user : `User:${user}`)))
  }

  get enforced(): boolean {
    return this.#enforced
  }

  /** Whether a principal may do something: a binding that denies it overrides those that allow it. */
  allows(principal: string, host: string, operation: AclOperation, type: AclResourceType, name: string): boolean {
    if (!this.#enforced || this.#superUsers.has(principal)) return true
    let allowed = false
    let isNamed = false
    for (const binding of this.#bindings) {
      if (!matchesResource(binding, type, name)) continue
      isNamed = true
      if (!matchesWho(binding, principal, host)) continue
      if (binding.permissionType === 'deny') {
        if (binding.operation === operation || binding.operation === 'all') return false
      } else if (covers(binding.operation, operation)) {
        allowed = true
      }
    }
    return allowed || (!isNamed && this.#allowsWithoutAcl)
  }

  /** Whether the operation is allowed on any resource of the type (KIP-679: idempotent writes). */
  allowsOnAny(principal: string, host: string, operation: AclOperation, type: AclResourceType): boolean {
    // As Kafka does, by a name that no resource is likely to have.
    if (this.allows(principal, host, operation, type, 'hardcode')) return true
    const own = this.#bindings.filter(
      binding =>
        binding.resourceType === type &&
        (binding.operation === operation || binding.operation === 'all') &&
        matchesWho(binding, principal, host),
    )
    const denials = own.filter(({ permissionType }) => permissionType === 'deny')
    return own.some(binding => binding.permissionType === 'allow' && !denials.some(denial => isDenied(binding, denial)))
  }

  add(binding: AclBinding): void {
    if (!this.#bindings.some(known => sameBinding(known, binding))) this.#bindings.push(binding)
  }

  find(filter: AclFilter): AclBinding[] {
    return this.#bindings.filter(binding => matchesFilter(binding, filter))
  }

  /** @returns the removed bindings */
  remove(filter: AclFilter): AclBinding[] {
    const removed = this.find(filter)
    this.#bindings = this.#bindings.filter(binding => !removed.includes(binding))
    return removed
  }
}

// Whether a denial leaves nothing of what a binding allows.
function isDenied(binding: AclBinding, denial: AclBinding): boolean {
  if (denial.resourcePatternType === 'prefixed') return binding.name !== '*' && binding.name.startsWith(denial.name)
  return denial.name === '*' || (binding.resourcePatternType === 'literal' && binding.name === denial.name)
}

function covers(granted: AclOperation, requested: AclOperation): boolean {
  return granted === requested || granted === 'all' || (impliedBy[requested]?.includes(granted) ?? false)
}

function matchesResource(binding: AclBinding, type: AclResourceType, name: string): boolean {
  if (binding.resourceType !== type) return false
  if (binding.resourcePatternType === 'prefixed') return name.startsWith(binding.name)
  return binding.name === name || binding.name === '*'
}

function matchesWho(binding: AclBinding, principal: string, host: string): boolean {
  return (
    (binding.principal === principal || binding.principal === 'User:*') &&
    (binding.host === '*' || binding.host === host)
  )
}

function matchesFilter(binding: AclBinding, filter: AclFilter): boolean {
  if (filter.resourceType !== null && binding.resourceType !== filter.resourceType) return false
  if (filter.principal !== null && binding.principal !== filter.principal) return false
  if (filter.host !== null && binding.host !== filter.host) return false
  if (filter.operation !== null && binding.operation !== filter.operation) return false
  if (filter.permissionType !== null && binding.permissionType !== filter.permissionType) return false
  switch (filter.patternType) {
    case 'any':
      return filter.name === null || binding.name === filter.name
    case 'match':
      return filter.name === null || matchesResource(binding, binding.resourceType, filter.name)
    case 'literal':
    case 'prefixed':
      return (
        binding.resourcePatternType === filter.patternType && (filter.name === null || binding.name === filter.name)
      )
    default:
      return filter.patternType satisfies never
  }
}

function sameBinding(a: AclBinding, b: AclBinding): boolean {
  return (
    a.resourceType === b.resourceType &&
    a.name === b.name &&
    a.resourcePatternType === b.resourcePatternType &&
    a.principal === b.principal &&
    a.host === b.host &&
    a.permissionType === b.permissionType &&
    a.operation === b.operation
  )
}
