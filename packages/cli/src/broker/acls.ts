/** ACLs as they are written on the command line. */
import type { AclBinding, AclOperation, AclResourceType } from '@ottla/broker'
import { UsageError } from '../terminal/terminal.ts'

const TYPES: readonly AclResourceType[] = ['topic', 'group', 'cluster', 'transactional-id', 'delegation-token', 'user']
const OPERATIONS: readonly AclOperation[] = [
  ...(['all', 'read', 'write', 'create', 'delete', 'alter', 'describe', 'cluster-action'] as const),
  ...(['describe-configs', 'alter-configs', 'idempotent-write', 'create-tokens', 'describe-tokens'] as const),
  'two-phase-commit',
]
const CLUSTER_NAME = 'kafka-cluster'

/**
 * `allow alice read,describe topic orders*`: a name that ends in `*` stands for those that begin like it, `*` alone for
 * all; users are `alice`, `User:alice` or `*`; the cluster has no name. Addresses of clients may follow.
 * @throws UsageError
 */
export function parseAcl(text: string): AclBinding[] {
  const [permission, user = '', operations = '', type, ...rest] = text.trim().split(/\s+/)
  const resourceType = TYPES.find(known => known === type)
  if ((permission !== 'allow' && permission !== 'deny') || resourceType === undefined) {
    throw new UsageError(`--acl ${text}: write it as 'allow USER OPERATIONS TYPE NAME', TYPE being ${TYPES.join(', ')}`)
  }
  const [name = '', host = '*'] = resourceType === 'cluster' ? [CLUSTER_NAME, ...rest] : rest
  if (name === '') throw new UsageError(`--acl ${text}: the name of the ${resourceType} is missing`)
  const isPrefix = name.length > 1 && name.endsWith('*')
  return operations.split(',').map(word => ({
    resourceType,
    name: isPrefix ? name.slice(0, -1) : name,
    resourcePatternType: isPrefix ? 'prefixed' : 'literal',
    principal: user.includes(':') ? user : `User:${user}`,
    host,
    permissionType: permission,
    operation: operationOf(word, text),
  }))
}

function operationOf(word: string, text: string): AclOperation {
  const found = OPERATIONS.find(known => known === word)
  if (found === undefined) throw new UsageError(`--acl ${text}: ${word} is none of ${OPERATIONS.join(', ')}`)
  return found
}
