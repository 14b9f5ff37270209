/** CreateAcls, DescribeAcls, DeleteAcls. */
import {
  CreateAclsServer,
  DeleteAclsServer,
  DescribeAclsServer,
  ErrorCode,
  type DescribeAclsRequest,
  type Decoded,
} from '@ottla/protocol'
import { CLUSTER_NAME, type AclBinding, type AclFilter, type Authorizer } from '../security/acls.ts'
import { codeFor, operations, patternTypes, permissionTypes, resourceTypes, wordFor } from './operations.ts'
import { route, type RequestContext, type Route } from './request.ts'
import { namedError } from './refusals.ts'

export const aclRoutes: readonly Route[] = [
  route(
    CreateAclsServer,
    ({ creations }, context, { authorizer }) => {
      const problem = refusal('alter', context, authorizer)
      return {
        throttleTimeMs: 0,
        results: creations.map(creation => {
          if (problem !== null) return problem
          const resourceType = wordFor(resourceTypes, creation.resourceType)
          const pattern = wordFor(patternTypes, creation.resourcePatternType)
          const operation = wordFor(operations, creation.operation)
          const permissionType = wordFor(permissionTypes, creation.permissionType)
          const invalid = (errorMessage: string): { errorCode: number; errorMessage: string } => ({
            errorCode: ErrorCode.ERR_INVALID_REQUEST,
            errorMessage,
          })
          if (resourceType === null || operation === null || permissionType === null)
            return invalid('Invalid ACL binding')
          if (pattern !== 'literal' && pattern !== 'prefixed') return invalid('Invalid pattern type')
          if (creation.resourceName === '') return invalid('Invalid empty resource name')
          if (!creation.principal.includes(':')) return invalid('Could not parse principal: expected type:name')
          const { resourceName: name, principal, host } = creation
          const binding: AclBinding = {
            resourceType,
            name,
            resourcePatternType: pattern,
            principal,
            host,
            operation,
            permissionType,
          }
          authorizer.add(binding)
          return { errorCode: ErrorCode.ERR_NO_ERROR, errorMessage: '' }
        }),
      }
    },
    ({ creations }, errorCode) => ({ throttleTimeMs: 0, results: creations.map(() => namedError(errorCode)) }),
  ),
  route(
    DescribeAclsServer,
    (request, context, { authorizer }) => {
      const problem = refusal('describe', context, authorizer, 'No Authorizer is configured on the broker')
      if (problem !== null) return { throttleTimeMs: 0, ...problem, resources: [] }
      if (!isKnown(request)) return { throttleTimeMs: 0, ...unknownFilter, resources: [] }
      const byResource = new Map<string, AclBinding[]>()
      for (const binding of authorizer.find(filterOf(request))) {
        const key = `${binding.resourceType}/${binding.resourcePatternType}/${binding.name}`
        byResource.set(key, [...(byResource.get(key) ?? []), binding])
      }
      return {
        throttleTimeMs: 0,
        errorCode: ErrorCode.ERR_NO_ERROR,
        errorMessage: '',
        resources: [...byResource.values()].map(bindings => {
          const [first] = bindings as [AclBinding] // a list starts with its first binding
          const { resourceType, resourceName, patternType } = encode(first)
          return {
            resourceType,
            resourceName,
            patternType,
            acls: bindings.map(binding => {
              const { principal, host, operation, permissionType } = encode(binding)
              return { principal, host, operation, permissionType }
            }),
          }
        }),
      }
    },
    (_body, errorCode) => ({ throttleTimeMs: 0, ...namedError(errorCode), resources: [] }),
  ),
  route(
    DeleteAclsServer,
    ({ filters }, context, { authorizer }) => {
      const problem = refusal('alter', context, authorizer)
      return {
        throttleTimeMs: 0,
        filterResults: filters.map(filter => {
          if (problem !== null) return { ...problem, matchingAcls: [] }
          if (!isKnown(filter)) return { ...unknownFilter, matchingAcls: [] }
          const removed = authorizer.remove(filterOf(filter))
          const matchingAcls = removed.map(binding => ({ errorCode: 0, errorMessage: null, ...encode(binding) }))
          return { errorCode: ErrorCode.ERR_NO_ERROR, errorMessage: null, matchingAcls }
        }),
      }
    },
    ({ filters }, errorCode) => ({
      throttleTimeMs: 0,
      filterResults: filters.map(() => ({ ...namedError(errorCode), matchingAcls: [] })),
    }),
  ),
]

function refusal(
  operation: 'alter' | 'describe',
  context: RequestContext,
  authorizer: Authorizer,
  noAuthorizer = 'No Authorizer is configured.',
): { errorCode: number; errorMessage: string } | null {
  if (!authorizer.enforced) return { errorCode: ErrorCode.ERR_SECURITY_DISABLED, errorMessage: noAuthorizer }
  if (context.allows(operation, 'cluster', CLUSTER_NAME)) return null
  return { errorCode: ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED, errorMessage: 'Cluster authorization failed.' }
}

const unknownFilter = {
  errorCode: ErrorCode.ERR_INVALID_REQUEST,
  errorMessage: 'The filter contains UNKNOWN elements.',
}

// 0 is "unknown", not "any": confusing them could delete everything.
function isKnown(filter: Decoded<DescribeAclsRequest>): boolean {
  const { resourceTypeFilter, patternTypeFilter, operation, permissionType } = filter
  return [resourceTypeFilter, patternTypeFilter, operation, permissionType].every(code => code > 0)
}

function filterOf(request: Decoded<DescribeAclsRequest>): AclFilter {
  return {
    resourceType: wordFor(resourceTypes, request.resourceTypeFilter),
    name: request.resourceNameFilter,
    patternType: wordFor(patternTypes, request.patternTypeFilter) ?? 'literal',
    principal: request.principalFilter,
    host: request.hostFilter,
    operation: wordFor(operations, request.operation),
    permissionType: wordFor(permissionTypes, request.permissionType),
  }
}

function encode(binding: AclBinding): {
  resourceType: number
  resourceName: string
  patternType: number
  principal: string
  host: string
  operation: number
  permissionType: number
} {
  return {
    resourceType: codeFor(resourceTypes, binding.resourceType),
    resourceName: binding.name,
    patternType: codeFor(patternTypes, binding.resourcePatternType),
    principal: binding.principal,
    host: binding.host,
    operation: codeFor(operations, binding.operation),
    permissionType: codeFor(permissionTypes, binding.permissionType),
  }
}
