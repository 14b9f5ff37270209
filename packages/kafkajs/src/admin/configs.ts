/** The calls of an admin client that concern configurations. */
import type { ConfigEntry, ConfigResourceType, ConfigSource as Source } from 'ottla'
import { ConfigResourceTypes, ConfigSource } from '../enums.ts'
import type { SharedAdmin } from '../translate/shared-admin.ts'
import type { Admin, ConfigEntries, DescribeConfigResponse } from '../types/admin.ts'
import { invalid, requireArray, shown } from './arguments.ts'
import { throwFirst } from './results.ts'

type DescribeOptions = Parameters<Admin['describeConfigs']>[0]
type AlterOptions = Parameters<Admin['alterConfigs']>[0]

interface Resource {
  readonly type: ConfigResourceTypes
  readonly name: string
}

interface Alteration {
  errorCode: number
  errorMessage: null
  resourceName: string
  resourceType: ConfigResourceTypes
}

const types: ReadonlyMap<ConfigResourceTypes, ConfigResourceType> = new Map([
  [ConfigResourceTypes.TOPIC, 'topic'],
  [ConfigResourceTypes.BROKER, 'broker'],
  [ConfigResourceTypes.BROKER_LOGGER, 'broker-logger'],
])

const sources: Readonly<Partial<Record<Source, ConfigSource>>> = {
  'dynamic-topic': ConfigSource.TOPIC_CONFIG,
  'dynamic-broker': ConfigSource.DYNAMIC_BROKER_CONFIG,
  'dynamic-default-broker': ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG,
  'static-broker': ConfigSource.STATIC_BROKER_CONFIG,
  default: ConfigSource.DEFAULT_CONFIG,
  'dynamic-broker-logger': ConfigSource.DYNAMIC_BROKER_LOGGER_CONFIG,
}

export async function describeConfigs(admin: SharedAdmin, options: DescribeOptions): Promise<DescribeConfigResponse> {
  const includeSynonyms = (options.includeSynonyms as boolean | undefined) ?? false
  const resources = requireResources(options.resources)
  const wanted = resources.map(toResource)
  for (const resource of resources) {
    const names: unknown = resource.configNames ?? []
    if (!Array.isArray(names)) throw invalid(`Invalid resource configNames ${shown(names)}: ${shown(resource)}`)
  }
  const described = await admin.call(client => client.describeConfigs(wanted))
  throwFirst(described)
  return {
    resources: resources.map(({ type, name, configNames }, i) => ({
      configEntries: entriesOf(described[i]?.entries ?? {}, configNames ?? null, includeSynonyms),
      errorCode: 0,
      errorMessage: null as unknown as string, // declared as a string, and null: both are kafkajs's
      resourceName: name,
      resourceType: type,
    })),
    throttleTime: 0,
  }
}

/** Replaces whole configurations: what is not named returns to its default. */
export async function alterConfigs(
  admin: SharedAdmin,
  options: AlterOptions,
): Promise<{ resources: Alteration[]; throttleTime: number }> {
  const { validateOnly = false } = options as Partial<AlterOptions>
  const resources = requireResources(options.resources)
  const wanted = resources.map(resource => ({ ...toResource(resource), entries: newEntries(resource) }))
  const results = await admin.call(client => client.alterConfigs(wanted, { validateOnly }))
  throwFirst(results)
  return {
    resources: resources.map(({ type, name }) => {
      return { errorCode: 0, errorMessage: null, resourceName: name, resourceType: type }
    }),
    throttleTime: 0,
  }
}

/** As kafkajs, checks the types of all, and then the names of all. */
function requireResources<T extends Resource>(given: readonly T[]): readonly T[] {
  const resources = requireArray(given, 'resources')
  if (resources.length === 0) throw invalid('Resources array cannot be empty')
  const untyped = resources.find(({ type }) => !types.has(type))
  if (untyped !== undefined) throw invalid(`Invalid resource type ${untyped.type}: ${shown(untyped)}`)
  const unnamed = resources.find(({ name }) => typeof (name as unknown) !== 'string' || name === '')
  if (unnamed !== undefined) throw invalid(`Invalid resource name ${shown(unnamed.name)}: ${shown(unnamed)}`)
  return resources
}

function toResource({ type, name }: Resource): { type: ConfigResourceType; name: string } {
  return { type: types.get(type) ?? 'topic', name } // each has been checked
}

function newEntries(resource: { readonly configEntries: unknown }): { name: string; value: string }[] {
  const { configEntries } = resource
  if (!Array.isArray(configEntries)) {
    throw invalid(`Invalid resource configEntries ${shown(configEntries)}: ${shown(resource)}`)
  }
  return configEntries.map((entry: unknown) => {
    const { name, value } = (entry ?? {}) as { readonly name?: unknown; readonly value?: unknown }
    if (typeof name === 'string' && typeof value === 'string') return { name, value }
    throw invalid(`Invalid resource config value: ${shown(resource)}`)
  })
}

function entriesOf(
  entries: Readonly<Record<string, ConfigEntry>>,
  names: readonly string[] | null,
  includeSynonyms: boolean,
): ConfigEntries[] {
  const isWanted = (name: string): boolean => names === null || names.length === 0 || names.includes(name)
  return Object.entries(entries)
    .filter(([name]) => isWanted(name))
    .map(([name, { value, source, isDefault, isSensitive, isReadOnly, synonyms }]) => ({
      configName: name,
      configValue: valueOf(value),
      readOnly: isReadOnly,
      isDefault,
      configSource: sourceOf(source),
      isSensitive,
      configSynonyms: includeSynonyms
        ? synonyms.map(each => ({
            configName: each.name,
            configValue: valueOf(each.value),
            configSource: sourceOf(each.source),
          }))
        : [],
    }))
}

function sourceOf(source: Source): ConfigSource {
  return sources[source] ?? ConfigSource.UNKNOWN
}

function valueOf(value: string | null): string {
  return value as string // null for a sensitive one: declared as a string by kafkajs all the same
}
