import type { AclBinding, AclBindingFilter } from 'ottla'
import { collect } from '../terminal/parsers.ts'
import type { Column } from '../terminal/table.ts'
import { UsageError } from '../terminal/terminal.ts'
import { lines, option, subject, verb, type AdminContext } from './session.ts'

interface ResourceOptions {
  readonly topic: readonly string[]
  readonly group: readonly string[]
  readonly transactionalId: readonly string[]
  readonly delegationToken: readonly string[]
  readonly user: readonly string[]
  readonly cluster?: boolean
}

interface RuleOptions extends ResourceOptions {
  readonly principal: readonly string[]
  readonly operation: readonly string[]
  readonly host?: string
  readonly prefixed?: boolean
  readonly deny?: boolean
}

interface FilterOptions extends ResourceOptions {
  readonly principal: readonly string[]
  readonly operation: readonly string[]
  readonly host?: string
  readonly pattern?: AclBindingFilter['resourcePatternType']
  readonly permission?: AclBindingFilter['permissionType']
  readonly all?: boolean
}

interface Resource {
  readonly resourceType: AclBinding['resourceType']
  readonly name: string
}

const CLUSTER_NAME = 'kafka-cluster'

const resourceOptions = [
  option('--topic <name>', 'ACLs for a topic; repeatable, like the others', collect, []),
  option('--group <name>', 'for a group', collect, []),
  option('--transactional-id <id>', 'for a transactional id', collect, []),
  option('--delegation-token <id>', 'for a delegation token', collect, []),
  option('--user <principal>', 'for a user whose tokens may be created and described', collect, []),
  option('--cluster', 'for the cluster itself'),
]
const principal = option('--principal <principal>', 'User:alice, User:* for everybody; repeatable', collect, [])
const operation = option('--operation <operation>', 'read, write, describe, ..., all; repeatable', collect, [])
const host = option('--host <address>', 'address of the client; by default any')

export function addAcls(admin: AdminContext): void {
  const acls = subject(admin, 'acls', 'List, create and delete ACLs')
  const filterOptions = [
    ...resourceOptions,
    principal,
    operation,
    host,
    option('--pattern <pattern>', 'literal, prefixed, any (the default), or match: all that apply to the name'),
    option('--permission <permission>', 'allow or deny; by default both'),
  ]
  verb<FilterOptions>(
    acls,
    'list',
    'List matching ACLs; all of them by default',
    filterOptions,
    async (session, options) => {
      const filters = filtersOf(options)
      const client = await session.connect()
      const found = await Promise.all(filters.map(filter => client.describeAcls(filter, session.limits)))
      const rules = distinct(found.flat())
      session.emit(rules, () => lines(rules, columns, 'no ACLs'))
    },
  )

  const ruleOptions = [
    ...resourceOptions,
    principal,
    operation,
    host,
    option('--prefixed', 'for all names that begin with it'),
    option('--deny', 'deny; a denied operation stays denied, whatever else allows it'),
  ]
  verb<RuleOptions>(
    acls,
    'create',
    'Create ACLs: one for each resource, principal and operation',
    ruleOptions,
    async (session, options) => {
      const rules = rulesOf(options)
      const client = await session.connect()
      const results = await client.createAcls(rules, session.limits)
      const outcomes = rules.map((rule, i) => ({ ...rule, ...results[i] }))
      session.printResults(outcomes, rule => `created: ${sentence(rule)}`)
    },
  )

  const all = option('--all', 'all ACLs of the cluster, unless other options narrow them down')
  verb<FilterOptions>(acls, 'delete', 'Delete matching ACLs', [...filterOptions, all], async (session, options) => {
    const filters = filtersOf(options)
    const everything = filters.some(filter => Object.keys(filter).length === 0)
    // An empty filter matches everything: too dangerous without --all.
    if (everything && options.all !== true) throw new UsageError('name the ACLs to delete, or give --all')
    const client = await session.connect()
    const results = await client.deleteAcls(filters, session.limits)
    const deleted = distinct(results.flatMap(r => r.bindings))
    session.emit(results, () =>
      deleted.length === 0 ? ['no ACLs matched'] : deleted.map(rule => `deleted: ${sentence(rule)}`),
    )
    session.reportErrors(results.map(r => r.error))
  })
}

/** One ACL for each combination of what the options name. */
export function rulesOf(options: RuleOptions): AclBinding[] {
  const resources = resourcesOf(options)
  if (resources.length === 0)
    throw new UsageError('name a resource: --topic, --group, --transactional-id, --cluster, ...')
  if (options.principal.length === 0) throw new UsageError('name a user with --principal User:NAME')
  if (options.operation.length === 0) throw new UsageError('name an operation with --operation')
  return resources.flatMap(resource =>
    options.principal.flatMap(who =>
      options.operation.map((what): AclBinding => ({
        ...resource,
        resourcePatternType: options.prefixed === true ? 'prefixed' : 'literal',
        principal: who,
        host: options.host ?? '*',
        // The client checks the word.
        operation: what as AclBinding['operation'],
        permissionType: options.deny === true ? 'deny' : 'allow',
      })),
    ),
  )
}

/** One filter for each combination; an option that is not given matches anything. */
export function filtersOf(options: FilterOptions): AclBindingFilter[] {
  const some = <T, F extends object>(list: readonly T[], toField: (item: T) => F): (F | object)[] =>
    list.length === 0 ? [{}] : list.map(toField)
  const common = {
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.pattern === undefined ? {} : { resourcePatternType: options.pattern }),
    ...(options.permission === undefined ? {} : { permissionType: options.permission }),
  }
  return some(resourcesOf(options), resource => resource).flatMap(resource =>
    some(options.principal, name => ({ principal: name })).flatMap(who =>
      some(options.operation, name => ({ operation: name as AclBinding['operation'] })).map(what => ({
        ...common,
        ...resource,
        ...who,
        ...what,
      })),
    ),
  )
}

function resourcesOf(options: ResourceOptions): Resource[] {
  const named = (resourceType: Resource['resourceType'], names: readonly string[]): Resource[] =>
    names.map(name => ({ resourceType, name }))
  return [
    ...named('topic', options.topic),
    ...named('group', options.group),
    ...named('transactional-id', options.transactionalId),
    ...named('delegation-token', options.delegationToken),
    ...named('user', options.user),
    ...named('cluster', options.cluster === true ? [CLUSTER_NAME] : []),
  ]
}

/** Two filters may match the same rule. */
function distinct(rules: readonly AclBinding[]): AclBinding[] {
  return [...new Map(rules.map(rule => [sentence(rule), rule])).values()].sort((a, b) =>
    sentence(a) < sentence(b) ? -1 : 1,
  )
}

const columns: Column<AclBinding>[] = [
  { title: 'resource', cell: r => r.resourceType },
  { title: 'name', cell: r => (r.resourcePatternType === 'prefixed' ? `${r.name}...` : r.name) },
  { title: 'principal', cell: r => r.principal },
  { title: 'host', cell: r => r.host },
  { title: 'permission', cell: r => r.permissionType },
  { title: 'operation', cell: r => r.operation },
]

function sentence(rule: AclBinding): string {
  const name = rule.resourcePatternType === 'prefixed' ? `${rule.name}...` : rule.name
  return `${rule.resourceType} ${name}: ${rule.permissionType} ${rule.principal} from ${rule.host} to ${rule.operation}`
}
