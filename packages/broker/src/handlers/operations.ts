/** Kafka's codes for the words of ACLs. */
import type { AclOperation, AclPatternType, AclResourceType } from '../security/acls.ts'
import type { RequestContext } from './request.ts'

export const resourceTypes: readonly (readonly [AclResourceType, number])[] = [
  ['topic', 2],
  ['group', 3],
  ['cluster', 4],
  ['transactional-id', 5],
  ['delegation-token', 6],
  ['user', 7],
]
export const operations: readonly (readonly [AclOperation, number])[] = [
  ['all', 2],
  ['read', 3],
  ['write', 4],
  ['create', 5],
  ['delete', 6],
  ['alter', 7],
  ['describe', 8],
  ['cluster-action', 9],
  ['describe-configs', 10],
  ['alter-configs', 11],
  ['idempotent-write', 12],
  ['create-tokens', 13],
  ['describe-tokens', 14],
  ['two-phase-commit', 15],
]
export const patternTypes: readonly (readonly [AclPatternType | 'any' | 'match', number])[] = [
  ['any', 1],
  ['match', 2],
  ['literal', 3],
  ['prefixed', 4],
]
export const permissionTypes: readonly (readonly ['allow' | 'deny', number])[] = [
  ['deny', 2],
  ['allow', 3],
]

/** The word for a code; null for "any" and for an unknown code. */
export function wordFor<T>(table: readonly (readonly [T, number])[], code: number): T | null {
  return table.find(([, number]) => number === code)?.[0] ?? null
}

/** The code for a word. */
export function codeFor<T>(table: readonly (readonly [T, number])[], word: T): number {
  return table.find(([known]) => known === word)?.[1] ?? 0
}

const operationsOn: Partial<Record<AclResourceType, readonly AclOperation[]>> = {
  topic: ['read', 'write', 'create', 'delete', 'alter', 'describe', 'describe-configs', 'alter-configs'],
  group: ['read', 'delete', 'describe'],
  cluster: ['create', 'alter', 'describe', 'cluster-action', 'describe-configs', 'alter-configs', 'idempotent-write'],
}

/** What the client may do with a resource, as a bit field of Kafka's (KIP-430). */
export function authorizedOperations(context: RequestContext, type: AclResourceType, name: string): number {
  let bits = 0
  for (const operation of operationsOn[type] ?? []) {
    if (context.allows(operation, type, name)) bits |= 1 << codeFor(operations, operation)
  }
  return bits
}
