/** The calls of an admin client that concern access rules. */
import type { AclBinding, AclBindingFilter } from 'ottla'
import type { SharedAdmin } from '../translate/shared-admin.ts'
import type {
  AclEntry,
  AclFilter,
  Admin,
  DeleteAclResponse,
  DescribeAclResource,
  DescribeAclResponse,
} from '../types/admin.ts'
import { operations, patternTypes, permissionTypes, resourceTypes } from './acl-words.ts'
import { invalid, requireItems } from './arguments.ts'
import { throwFirst } from './results.ts'

type CreateOptions = Parameters<Admin['createAcls']>[0]
type DeleteOptions = Parameters<Admin['deleteAcls']>[0]

const texts = ['principal', 'host', 'resourceName'] as const
type Text = (typeof texts)[number]

export async function createAcls(admin: SharedAdmin, options: CreateOptions): Promise<boolean> {
  const entries = requireItems(options.acl, 'ACL')
  checkTexts(entries, isText, name => `Invalid ACL array, the ${name}s have to be a valid string`)
  const bindings = entries.map(toBinding)
  throwFirst(await admin.call(client => client.createAcls(bindings)))
  return true
}

export async function describeAcls(admin: SharedAdmin, filter: AclFilter): Promise<DescribeAclResponse> {
  checkTexts([filter], isTextOrMissing, name => `Invalid ${name}, the ${name} have to be a valid string`)
  const wanted = toFilter(filter, null)
  const bindings = await admin.call(client => client.describeAcls(wanted))
  const resources = new Map<string, DescribeAclResource>()
  for (const binding of bindings) {
    const { resourceType, resourceName, resourcePatternType, ...acl } = fromBinding(binding)
    const key = `${resourceType} ${resourcePatternType} ${resourceName}`
    const resource = resources.get(key) ?? { resourceType, resourceName, resourcePatternType, acls: [] }
    resource.acls.push(acl)
    resources.set(key, resource)
  }
  return { throttleTime: 0, errorCode: 0, resources: [...resources.values()] }
}

/** @returns the deleted rules of each filter */
export async function deleteAcls(admin: SharedAdmin, options: DeleteOptions): Promise<DeleteAclResponse> {
  const given = requireItems(options.filters, 'ACL Filter')
  checkTexts(given, isTextOrMissing, name => `Invalid ACL Filter array, the ${name}s have to be a valid string`)
  const filters = given.map(filter => toFilter(filter, filter))
  const results = await admin.call(client => client.deleteAcls(filters))
  throwFirst(results)
  // Declared as optional strings, and null: both are kafkajs's.
  const fine = { errorCode: 0, errorMessage: null as unknown as string }
  return {
    throttleTime: 0,
    filterResponses: results.map(({ bindings }) => ({
      ...fine,
      matchingAcls: bindings.map(binding => ({ ...fine, ...fromBinding(binding) })),
    })),
  }
}

function toBinding(entry: AclEntry): AclBinding {
  return {
    operation: operations.word(entry.operation, entry),
    resourcePatternType: patternTypes.word(entry.resourcePatternType, entry),
    permissionType: permissionTypes.word(entry.permissionType, entry),
    resourceType: resourceTypes.word(entry.resourceType, entry),
    name: entry.resourceName,
    principal: entry.principal,
    host: entry.host,
  }
}

function fromBinding(binding: AclBinding): AclEntry {
  return {
    resourceType: resourceTypes.number(binding.resourceType),
    resourceName: binding.name,
    resourcePatternType: patternTypes.number(binding.resourcePatternType),
    principal: binding.principal,
    host: binding.host,
    operation: operations.number(binding.operation),
    permissionType: permissionTypes.number(binding.permissionType),
  }
}

/** @param shown for errors: the one of several filters */
function toFilter(filter: AclFilter, shown: AclFilter | null): AclBindingFilter {
  const { resourceName, principal, host } = filter
  return {
    operation: operations.filterWord(filter.operation, shown),
    resourcePatternType: patternTypes.filterWord(filter.resourcePatternType, shown),
    permissionType: permissionTypes.filterWord(filter.permissionType, shown),
    resourceType: resourceTypes.filterWord(filter.resourceType, shown),
    ...(resourceName === undefined ? {} : { name: resourceName }),
    ...(principal === undefined ? {} : { principal }),
    ...(host === undefined ? {} : { host }),
  }
}

function checkTexts(
  given: readonly (AclEntry | AclFilter)[],
  isValid: (value: unknown) => boolean,
  refusal: (name: Text) => string,
): void {
  const wrong = texts.find(name => given.some(each => !isValid(each[name])))
  if (wrong !== undefined) throw invalid(refusal(wrong))
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function isTextOrMissing(value: unknown): boolean {
  return value === undefined || isText(value)
}
