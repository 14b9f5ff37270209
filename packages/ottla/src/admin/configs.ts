import {
  AlterConfigs,
  DescribeConfigs,
  IncrementalAlterConfigs,
  ListConfigResources,
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
 * What has a configuration; `broker-logger` are the log levels of a broker's own loggers (KIP-412).
 * @since 0.1.0
 */
export type ConfigResourceType = 'topic' | 'broker' | 'broker-logger' | 'group' | 'client-metrics'

/**
 * Whose configuration is meant.
 * @since 0.1.0
 */
export interface ConfigResource {
  readonly type: ConfigResourceType
  /** A topic, a group, a subscription, a broker's id in digits; for brokers '' means the default of the whole cluster. */
  readonly name: string
}

/**
 * Where a value comes from, most particular first.
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
  /** null for a sensitive value. */
  value: string | null
  source: ConfigSource
  isReadOnly: boolean
  isSensitive: boolean
  isDefault: boolean
  /** All places the value could come from, the one in force first. */
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
 * What to do to a value; `append` and `subtract` are for lists.
 * @since 0.1.0
 */
export type ConfigOperation = 'set' | 'delete' | 'append' | 'subtract'

/**
 * One change of a resource's configuration; what is not named stays as it is (KIP-339).
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
 * The whole configuration that a resource is to have: what is not named goes back to its default.
 * @since 0.1.0
 */
export interface ConfigReplacement extends ConfigResource {
  readonly entries: readonly { readonly name: string; readonly value: string | number | boolean }[]
}

/**
 * What became of the changes to one resource: all of them, or none.
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
  const results = new Array<ConfigDescription>(resources.length)
  const { deadline, signal } = call
  await eachTarget(resources, { to: 'any' }, async (target, indices) => {
    const asked = indices.map(i => wireResource(at(resources, i)))
    const wire = asked.map(resource => ({ ...resource, configurationKeys: null }))
    const body = { resources: wire, includeSynonyms: true }
    const answers = await settle(call.cluster.request(target, DescribeConfigs, body, { deadline, signal }))
    for (const i of indices) {
      const { type, name } = at(resources, i)
      const subject = `${type} '${name}'`
      if (answers instanceof KafkaError) {
        results[i] = { type, name, entries: {}, error: answers }
        continue
      }
      const answer = answers.results.find(r => isFor(r, at(resources, i)))
      const error =
        answer === undefined ? missingAnswer(subject) : itemError(answer.errorCode, answer.errorMessage, subject)
      results[i] = { type, name, entries: answer === undefined ? {} : readEntries(answer.configs), ...withError(error) }
    }
  })
  return results
}

export async function incrementalAlterConfigs(
  call: AdminCall,
  alterations: readonly ConfigAlteration[],
): Promise<ConfigResult[]> {
  checkResources(alterations)
  const wire = alterations.map(wireAlteration)
  const { deadline, signal, validateOnly } = call
  return alterEach(alterations, (target, indices) =>
    call.cluster.request(
      target,
      IncrementalAlterConfigs,
      { resources: indices.map(i => at(wire, i)), validateOnly },
      { deadline, signal, errorOf: r => controllerMoved(r.responses.map(result => result.errorCode)) },
    ),
  )
}

/** Replaces whole configurations, with the request that brokers before 2.3 know. */
export async function alterConfigs(
  call: AdminCall,
  replacements: readonly ConfigReplacement[],
): Promise<ConfigResult[]> {
  checkResources(replacements)
  const wire = replacements.map(wireReplacement)
  const { deadline, signal, validateOnly } = call
  return alterEach(replacements, (target, indices) =>
    call.cluster.request(
      target,
      AlterConfigs,
      { resources: indices.map(i => at(wire, i)), validateOnly },
      { deadline, signal, errorOf: r => controllerMoved(r.responses.map(result => result.errorCode)) },
    ),
  )
}

/** Rejects with the broker's error: there is only one answer. */
export async function listConfigResources(
  call: AdminCall,
  types: readonly ConfigResourceType[] | undefined,
): Promise<ConfigResource[]> {
  const wanted = types?.map((type, i) => requireWord(type, resourceTypes, `types[${i}]`)) ?? []
  const { deadline, signal } = call
  // Version 0 knows subscriptions only (Kafka 3.7), version 1 all types.
  const onlySubscriptions = types?.length === 1 && types[0] === 'client-metrics'
  const response = await call.cluster.request(
    { to: 'any' },
    ListConfigResources,
    version => (version === 0 ? {} : { resourceTypes: wanted }),
    { deadline, signal, ...(onlySubscriptions ? {} : { minVersion: 1 }) },
  )
  const error = itemError(response.errorCode, null, 'listing what has a configuration')
  if (error !== undefined) throw error
  return response.configResources.flatMap(({ resourceName: name, resourceType }) => {
    const type = typeNames.get(resourceType)
    return type === undefined ? [] : [{ type, name }]
  })
}

/** What both ways to alter have in common: each resource's own answer. */
async function alterEach(
  resources: readonly ConfigResource[],
  ask: (target: Target, indices: readonly number[]) => Promise<{ responses: readonly AlterAnswer[] }>,
): Promise<ConfigResult[]> {
  const results = new Array<ConfigResult>(resources.length)
  await eachTarget(resources, { to: 'controller' }, async (target, indices) => {
    const answers = await settle(ask(target, indices))
    for (const i of indices) {
      const { type, name } = at(resources, i)
      const subject = `${type} '${name}'`
      if (answers instanceof KafkaError) {
        results[i] = { type, name, error: answers }
        continue
      }
      const answer = answers.responses.find(r => isFor(r, at(resources, i)))
      const error =
        answer === undefined ? missingAnswer(subject) : itemError(answer.errorCode, answer.errorMessage, subject)
      results[i] = { type, name, ...withError(error) }
    }
  })
  return results
}

interface AlterAnswer {
  readonly resourceType: number
  readonly resourceName: string
  readonly errorCode: number
  readonly errorMessage: string | null
}

function checkResources(resources: readonly ConfigResource[]): void {
  requireItems(resources, 'resources')
  resources.forEach(({ type, name }, i) => {
    requireWord(type, resourceTypes, `resources[${i}].type`)
    requireThat(typeof name === 'string', `resources[${i}].name must be a string`)
    if (type === 'broker' || type === 'broker-logger') {
      // A broker's loggers have no default for the whole cluster.
      if (type === 'broker-logger') requireName(name, `broker id in resources[${i}].name`)
      if (name !== '') requireInteger(Number(name), `broker id in resources[${i}].name`, 0, INT32_MAX)
    } else {
      requireName(name, `resources[${i}].name`)
    }
  })
  requireDistinct(resources, r => `${r.type} ${r.name}`, 'resources')
}

/** A broker speaks for itself; everything else may be asked of `otherwise`. One request for each target. */
async function eachTarget(
  resources: readonly ConfigResource[],
  otherwise: Target,
  ask: (target: Target, indices: readonly number[]) => Promise<void>,
): Promise<void> {
  const shared: number[] = []
  const asks: Promise<void>[] = []
  resources.forEach(({ type, name }, i) => {
    if ((type === 'broker' || type === 'broker-logger') && name !== '')
      asks.push(ask({ to: 'node', id: Number(name) }, [i]))
    else shared.push(i)
  })
  if (shared.length > 0) asks.push(ask(otherwise, shared))
  await Promise.all(asks)
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
  // None at all is a wish that can be meant: everything back to its default.
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

function isFor(answer: { resourceType: number; resourceName: string }, resource: ConfigResource): boolean {
  return answer.resourceName === resource.name && answer.resourceType === resourceTypes.get(resource.type)
}

function readEntries(
  configs: Decoded<DescribeConfigsResponse>['results'][number]['configs'],
): Record<string, ConfigEntry> {
  // Names come from the broker; an object without a prototype has no name taken.
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
