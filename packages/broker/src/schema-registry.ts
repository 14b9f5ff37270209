/** The schema registry beside a cluster. It is a package of its own, loaded by those who ask for it. */
import { createRequire } from 'node:module'
import type { EmbeddedClusterOptions, SchemaRegistryListener } from './options.ts'
import type { StoredMessage } from './topics/messages.ts'
import type { MessageInput } from './topics/writing.ts'

const PACKAGE = '@ottla/schema-registry/embedded'
/** Confluent's name, and its settings. */
const TOPIC = '_schemas'
const topicOptions = { partitions: 1, configs: { 'cleanup.policy': 'compact' } }

/** A registry that runs. */
export interface RunningRegistry {
  readonly url: string
  close(): Promise<void>
}

/** What the registry needs of its cluster. */
interface RegistryCluster {
  topics(): { readonly name: string }[]
  createTopic(name: string, options: typeof topicOptions): void
  messages(topic: string): StoredMessage[]
  produce(topic: string, messages: readonly MessageInput[]): void
}

/** What the package exports. */
interface EmbeddedPackage {
  readonly EmbeddedSchemaRegistry: {
    start(
      options: SchemaRegistryListener & { readonly log: unknown; readonly unref: boolean },
    ): Promise<RunningRegistry>
  }
}

/**
 * Starts a registry that keeps its records in the topic `_schemas`. Null unless the options ask for one. Rejects with
 * Error if the package is not installed.
 */
export async function startSchemaRegistry(
  { schemaRegistry = false, unref = false }: EmbeddedClusterOptions,
  cluster: RegistryCluster,
): Promise<RunningRegistry | null> {
  if (schemaRegistry === false) return null
  const { EmbeddedSchemaRegistry } = loadRegistry()
  const log = {
    read: () => cluster.messages(TOPIC).flatMap(({ key, value }) => (key === null ? [] : [textOf(key, value)])),
    append: (key: string, value: string | null) => cluster.produce(TOPIC, [{ key, value, partition: 0 }]),
  }
  if (!cluster.topics().some(({ name }) => name === TOPIC)) cluster.createTopic(TOPIC, topicOptions)
  return EmbeddedSchemaRegistry.start({ ...(schemaRegistry === true ? {} : schemaRegistry), log, unref })
}

function textOf(key: Buffer, value: Buffer | null): { key: string; value: string | null } {
  return { key: key.toString('utf8'), value: value === null ? null : value.toString('utf8') }
}

function loadRegistry(): EmbeddedPackage {
  try {
    // In a bundle there is no import.meta.url, but a __filename.
    const load = createRequire(typeof __filename === 'string' ? __filename : import.meta.url)
    return load(PACKAGE) as EmbeddedPackage // what the package exports
  } catch (cause) {
    throw new Error('schemaRegistry needs the package @ottla/schema-registry: `npm install @ottla/schema-registry`', {
      cause,
    })
  }
}
