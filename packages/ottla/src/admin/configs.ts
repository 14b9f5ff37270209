import { DescribeConfigs, IncrementalAlterConfigs, type Decoded, type DescribeConfigsResponse } from '@ottla/protocol'
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
import { controllerMoved, isItemError, itemError, missingAnswer, withError, type AdminCall } from './call.ts'

/**
 * What has a configuration.
 * @since 0.1.0
 */
export type ConfigResourceType = 'topic' | 'broker' | 'group' | 'client-metrics'

/**
 * Whose configuration is meant.
 * @since 0.1.0
 */
export interface ConfigResource {
  readonly type: ConfigResourceType
  /** A topic, a group, a broker's id in digits; for brokers '' means the default of the whole cluster. */
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
 * What became of the changes to one resource: all of them, or none.
 * @since 0.1.0
 */
export interface ConfigResult extends ConfigResource {
  error?: KafkaError
}

const resourceTypes: ReadonlyMap<string, number> = new Map([
  ['topic', 2],
  ['broker', 4],
  ['client-metrics', 16],
  ['group', 32],
])
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
  const results = new Array<ConfigResult>(alterations.length)
  const { deadline, signal, validateOnly } = call
  await eachTarget(alterations, { to: 'controller' }, async (target, indices) => {
    const body = { resources: indices.map(i => at(wire, i)), validateOnly }
    const answers = await settle(
      call.cluster.request(target, IncrementalAlterConfigs, body, {
        deadline,
        signal,
        errorOf: r => controllerMoved(r.responses.map(result => result.errorCode)),
      }),
    )
    for (const i of indices) {
      const { type, name } = at(alterations, i)
      const subject = `${type} '${name}'`
      if (answers instanceof KafkaError) {
        results[i] = { type, name, error: answers }
        continue
      }
      const answer = answers.responses.find(r => isFor(r, at(alterations, i)))
      const error =
        answer === undefined ? missingAnswer(subject) : itemError(answer.errorCode, answer.errorMessage, subject)
      results[i] = { type, name, ...withError(error) }
    }
  })
  return results
}

function checkResources(resources: readonly ConfigResource[]): void {
  requireItems(resources, 'resources')
  resources.forEach(({ type, name }, i) => {
    requireWord(type, resourceTypes, `resources[${i}].type`)
    requireThat(typeof name === 'string', `resources[${i}].name must be a string`)
    if (type === 'broker') {
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
    if (type === 'broker' && name !== '') asks.push(ask({ to: 'node', id: Number(name) }, [i]))
    else shared.push(i)
  })
  if (shared.length > 0) asks.push(ask(otherwise, shared))
  await Promise.all(asks)
}

/** A failed request is the error of each of its items; an abort rejects the whole call. */
async function settle<T>(request: Promise<T>): Promise<T | KafkaError> {
  try {
    return await request
  } catch (error) {
    if (isItemError(error)) return error
    throw error
  }
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
