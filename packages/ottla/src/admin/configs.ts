import {
  AlterConfigs,
  DescribeConfigs,
  IncrementalAlterConfigs,
  ListConfigResources,
  type AlterConfigsResponse,
  type Api,
  type Decoded,
  type DescribeConfigsResponse,
} from '@ottla/protocol'
import type { Target } from '../cluster/cluster.ts'
import { KafkaError } from '../errors.ts'
import {
  INT32_MAX,
  requireDistinct,
  requireInteger,
  requireItems,
  requireName,
  requireThat,
  requireWord,
} from './arguments.ts'
import { controllerMoved, itemError, missingAnswer, settle, withError, type AdminCall } from './call.ts'

/**
 * The types of resources with a configuration; `broker-logger` are the log levels of a broker (KIP-412).
 * @since 0.1.0
 */
export type ConfigResourceType = 'topic' | 'broker' | 'broker-logger' | 'group' | 'client-metrics'

/**
 * A resource with a configuration.
 * @since 0.1.0
 */
export interface ConfigResource {
  readonly type: ConfigResourceType
  /**
   * A topic, a group, a metrics subscription, or a broker's id in digits; for brokers, '' means the cluster-wide
   * default.
   */
  readonly name: string
}

/**
 * Where a value comes from, most specific first.
 * @since 0.1.0
 */
export type ConfigSource =
  | 'dynamic-topic'
  | 'dynamic-broker-logger'
  | 'dynamic-broker'
  | 'dynamic-default-broker'
  | 'dynamic-client-metrics'
  | 'dynamic-group'
  | 'static-broker'
  | 'default'
  | 'unknown'

/**
 * One value of a configuration.
 * @since 0.1.0
 */
export interface ConfigEntry {
  /** Null for a sensitive value. */
  value: string | null
  source: ConfigSource
  isReadOnly: boolean
  isSensitive: boolean
  isDefault: boolean
  /** All sources of the value, the effective one first. */
  synonyms: { name: string; value: string | null; source: ConfigSource }[]
}

/**
 * The configuration of one resource.
 * @since 0.1.0
 */
export interface ConfigDescription extends ConfigResource {
  entries: Record<string, ConfigEntry>
  error?: KafkaError
}

/**
 * How to change a value; `append` and `subtract` are for lists.
 * @since 0.1.0
 */
export type ConfigOperation = 'set' | 'delete' | 'append' | 'subtract'

/**
 * Changes of a resource's configuration; entries not named stay as they are (KIP-339).
 * @since 0.1.0
 */
export interface ConfigAlteration extends ConfigResource {
  readonly entries: readonly {
    readonly name: string
    /** Not needed for `delete`. */
    readonly value?: string | number | boolean | null
    readonly operation: ConfigOperation
  }[]
}

/**
 * A resource's complete new configuration: entries not named return to their defaults.
 * @since 0.1.0
 */
export interface ConfigReplacement extends ConfigResource {
  readonly entries: readonly { readonly name: string; readonly value: string | number | boolean }[]
}

/**
 * The outcome for one resource: all of its changes, or none.
 * @since 0.1.0
 */
export interface ConfigResult extends ConfigResource {
  error?: KafkaError
}

const typeNames: ReadonlyMap<number, ConfigResourceType> = new Map([
  [2, 'topic'],
  [4, 'broker'],
  [8, 'broker-logger'],
  [16, 'client-metrics'],
  [32, 'group'],
])
const resourceTypes: ReadonlyMap<string, number> = new Map([...typeNames].map(([number, name]) => [name, number]))
const operations: ReadonlyMap<string, number> = new Map([
  ['set', 0],
  ['delete', 1],
  ['append', 2],
  ['subtract', 3],
])
const sources: ReadonlyMap<number, ConfigSource> = new Map([
  [1, 'dynamic-topic'],
  [2, 'dynamic-broker'],
  [3, 'dynamic-default-broker'],
  [4, 'static-broker'],
  [5, 'default'],
  [6, 'dynamic-broker-logger'],
  [7, 'dynamic-client-metrics'],
  [8, 'dynamic-group'],
])

export async function describeConfigs(
  call: AdminCall,
  resources: readonly ConfigResource[],
): Promise<ConfigDescription[]> {
  checkResources(resources)
  const { deadline, signal } = call
  const outcomes = await eachTarget(resources, { to: 'any' }, (target, indices) => {
    const wire = indices.map(i => ({ ...wireResource(at(resources, i)), configurationKeys: null }))
    const body = { resources: wire, includeSynonyms: true }
    return call.cluster.request(target, DescribeConfigs, body, { deadline, signal }).then(({ results }) => results)
  })
  return outcomes.map(({ type, name, answer, error }) => ({
    type,
    name,
    entries: answer === undefined ? {} : readEntries(answer.configs),
    ...withError(error),
  }))
}

export function incrementalAlterConfigs(
  call: AdminCall,
  alterations: readonly ConfigAlteration[],
): Promise<ConfigResult[]> {
  return alterEach(call, IncrementalAlterConfigs, alterations, wireAlteration)
}

/** Replaces whole configurations, with the request that brokers before 2.3 support. */
export function alterConfigs(call: AdminCall, replacements: readonly ConfigReplacement[]): Promise<ConfigResult[]> {
  return alterEach(call, AlterConfigs, replacements, wireReplacement)
}

/** Rejects with the broker's error: there is only one answer. */
export async function listConfigResources(
  call: AdminCall,
  types: readonly ConfigResourceType[] | undefined,
): Promise<ConfigResource[]> {
  const wanted = types?.map((type, i) => requireWord(type, resourceTypes, `types[${i}]`)) ?? []
  const { deadline, signal } = call
  // Version 0 lists subscriptions only (Kafka 3.7), version 1 all types.
  const onlySubscriptions = types?.length === 1 && types[0] === 'client-metrics'
  const response = await call.cluster.request(
    { to: 'any' },
    ListConfigResources,
    version => (version === 0 ? {} : { resourceTypes: wanted }),
    { deadline, signal, ...(onlySubscriptions ? {} : { minVersion: 1 }) },
  )
  const error = itemError(response.errorCode, null, 'listing config resources')
  if (error !== undefined) throw error
  return response.configResources.flatMap(({ resourceName: name, resourceType }) => {
    const type = typeNames.get(resourceType)
    return type === undefined ? [] : [{ type, name }]
  })
}

/** Both ways to alter, whose responses have the same form: each resource has an outcome of its own. */
async function alterEach<R extends ConfigResource, W>(
  call: AdminCall,
  api: Api<{ readonly resources: readonly W[]; readonly validateOnly: boolean }, AlterConfigsResponse>,
  resources: readonly R[],
  toWire: (resource: R) => W,
): Promise<ConfigResult[]> {
  checkResources(resources)
  const wire = resources.map(toWire)
  const { deadline, signal, validateOnly } = call
  const errorOf = (r: Decoded<AlterConfigsResponse>): number => controllerMoved(r.responses.map(a => a.errorCode))
  const outcomes = await eachTarget(resources, { to: 'controller' }, (target, indices) => {
    const body = { resources: indices.map(i => at(wire, i)), validateOnly }
    return call.cluster.request(target, api, body, { deadline, signal, errorOf }).then(({ responses }) => responses)
  })
  return outcomes.map(({ type, name, error }) => ({ type, name, ...withError(error) }))
}

function checkResources(resources: readonly ConfigResource[]): void {
  requireItems(resources, 'resources')
  resources.forEach(({ type, name }, i) => {
    requireWord(type, resourceTypes, `resources[${i}].type`)
    requireThat(typeof name === 'string', `resources[${i}].name must be a string`)
    if (type === 'broker' || type === 'broker-logger') {
      // A broker's loggers have no cluster-wide default.
      if (type === 'broker-logger') requireName(name, `broker id in resources[${i}].name`)
      if (name !== '') requireInteger(Number(name), `broker id in resources[${i}].name`, 0, INT32_MAX)
    } else {
      requireName(name, `resources[${i}].name`)
    }
  })
  requireDistinct(resources, r => `${r.type} ${r.name}`, 'resources')
}

/** What the answers to all these requests have in common. */
interface ConfigAnswer {
  readonly resourceType: number
  readonly resourceName: string
  readonly errorCode: number
  readonly errorMessage: string | null
}

/** How it went for one resource. */
interface Outcome<A> extends ConfigResource {
  /** Undefined if the broker did not answer, or left the resource out. */
  readonly answer: A | undefined
  readonly error?: KafkaError
}

/** Requests about a broker go to that broker, all others to `otherwise`. One request for each target. */
async function eachTarget<A extends ConfigAnswer>(
  resources: readonly ConfigResource[],
  otherwise: Target,
  send: (target: Target, indices: readonly number[]) => Promise<readonly A[]>,
): Promise<Outcome<A>[]> {
  const outcomes = new Array<Outcome<A>>(resources.length)
  const ask = async (target: Target, indices: readonly number[]): Promise<void> => {
    const answers = await settle(send(target, indices))
    for (const i of indices) outcomes[i] = outcomeOf(at(resources, i), answers)
  }
  const shared: number[] = []
  const requests: Promise<void>[] = []
  resources.forEach(({ type, name }, i) => {
    if ((type === 'broker' || type === 'broker-logger') && name !== '')
      requests.push(ask({ to: 'node', id: Number(name) }, [i]))
    else shared.push(i)
  })
  if (shared.length > 0) requests.push(ask(otherwise, shared))
  await Promise.all(requests)
  return outcomes
}

function outcomeOf<A extends ConfigAnswer>(resource: ConfigResource, answers: readonly A[] | KafkaError): Outcome<A> {
  const { type, name } = resource
  if (answers instanceof KafkaError) return { type, name, answer: undefined, error: answers }
  const subject = `${type} '${name}'`
  const answer = answers.find(each => isFor(each, resource))
  if (answer === undefined) return { type, name, answer, error: missingAnswer(subject) }
  return { type, name, answer, ...withError(itemError(answer.errorCode, answer.errorMessage, subject)) }
}

function wireResource(resource: ConfigResource): { resourceType: number; resourceName: string } {
  return { resourceType: resourceTypes.get(resource.type) ?? 0, resourceName: resource.name }
}

function wireAlteration(alteration: ConfigAlteration): {
  resourceType: number
  resourceName: string
  configs: { name: string; configOperation: number; value: string | null }[]
} {
  const subject = `${alteration.type} '${alteration.name}'`
  requireItems(alteration.entries, `entries of ${subject}`)
  requireDistinct(alteration.entries, e => e.name, `entries of ${subject}`)
  const configs = alteration.entries.map(({ name, value, operation }) => {
    requireName(name, `a name in the entries of ${subject}`)
    const configOperation = requireWord(operation, operations, `operation of '${name}' of ${subject}`)
    if (operation === 'delete') return { name, configOperation, value: null }
    requireThat(value !== undefined && value !== null, `'${name}' of ${subject}: to ${operation} it needs a value`)
    return { name, configOperation, value: String(value) }
  })
  return { ...wireResource(alteration), configs }
}

function wireReplacement(replacement: ConfigReplacement): {
  resourceType: number
  resourceName: string
  configs: { name: string; value: string }[]
} {
  const subject = `${replacement.type} '${replacement.name}'`
  const given: unknown = replacement.entries
  // An empty list is legal: everything returns to its default.
  requireThat(Array.isArray(given), `entries of ${subject} must be an array`)
  requireDistinct(replacement.entries, e => e.name, `entries of ${subject}`)
  const configs = replacement.entries.map(({ name, value }) => {
    requireName(name, `a name in the entries of ${subject}`)
    const wanted: unknown = value
    requireThat(wanted !== undefined && wanted !== null, `'${name}' of ${subject} needs a value`)
    return { name, value: String(value) }
  })
  return { ...wireResource(replacement), configs }
}

function isFor(answer: ConfigAnswer, resource: ConfigResource): boolean {
  return answer.resourceName === resource.name && answer.resourceType === resourceTypes.get(resource.type)
}

function readEntries(
  configs: Decoded<DescribeConfigsResponse>['results'][number]['configs'],
): Record<string, ConfigEntry> {
  // Names come from the broker: without a prototype, none of them can clash.
  const entries: Record<string, ConfigEntry> = Object.create(null) as Record<string, ConfigEntry> // create() gives any
  for (const c of configs) {
    const source = sources.get(c.configSource) ?? 'unknown'
    entries[c.name] = {
      value: c.value,
      source,
      isReadOnly: c.readOnly,
      isSensitive: c.isSensitive,
      isDefault: source === 'default',
      synonyms: c.synonyms.map(s => ({ name: s.name, value: s.value, source: sources.get(s.source) ?? 'unknown' })),
    }
  }
  return entries
}

function at<T>(items: readonly T[], index: number): T {
  return items[index] as T // every index used here was made from the array itself
}
