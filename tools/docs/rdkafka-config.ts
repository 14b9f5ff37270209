/** Writes the configuration types of packages/node-rdkafka from the table of properties. */
import type { Property, Scope } from '../../packages/ottla/src/config/property.ts'
import { aliases, properties } from '../../packages/ottla/src/config/table.ts'

/** What node-rdkafka declares of topics' configurations; its global ones have these, too. */
const ofTopics = {
  P: [
    'request.required.acks',
    'acks',
    'request.timeout.ms',
    'message.timeout.ms',
    'delivery.timeout.ms',
    'queuing.strategy',
    'produce.offset.report',
    'partitioner',
    'partitioner_cb',
    'msg_order_cmp',
    'compression.codec',
    'compression.type',
    'compression.level',
  ],
  C: [
    'auto.commit.enable',
    'enable.auto.commit',
    'auto.commit.interval.ms',
    'auto.offset.reset',
    'offset.store.path',
    'offset.store.sync.interval.ms',
    'offset.store.method',
    'consume.callback.max.messages',
  ],
}

/** Where node-rdkafka's types are not those of the values. */
const theirs: Readonly<Record<string, string>> = {
  'topic.blacklist': 'any',
  'queue.buffering.max.ms': 'any',
  'linger.ms': 'any',
  dr_cb: 'boolean | Function',
  dr_msg_cb: 'boolean',
  rebalance_cb: 'boolean | Function',
  offset_commit_cb: 'boolean | Function',
}

/** Words that they allow besides ours. */
const words: Readonly<Record<string, readonly string[]>> = { 'compression.codec': ['inherit'] }

const all: Readonly<Record<string, Property>> = {
  ...properties,
  ...Object.fromEntries(Object.entries(aliases).map(([alias, name]) => [alias, properties[name]])),
}

export function rdkafkaConfigTypes(): string {
  const ofScope = (scope: Scope): string[] => Object.keys(all).filter(name => all[name]?.scope === scope)
  const topicOnly = (names: readonly string[]): string[] => names.filter(name => name !== 'opaque')
  return `/**
 * node-rdkafka's configurations: librdkafka's properties, and \`ottla\`'s own. Generated from the table in
 * \`packages/ottla/src/config\`; run \`npm run docs\` after changing it.
 */
/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-function-type -- node-rdkafka's own types */

${declared('GlobalConfig', 'What all clients take.', null, [...topicOnly(ofScope('*')), 'opaque'], '  /** `false` for no `event.*` events. */\n  event_cb?: boolean')}
${declared('ProducerGlobalConfig', 'What producers take.', 'GlobalConfig', ofScope('P'))}
${declared('ConsumerGlobalConfig', 'What consumers take.', 'GlobalConfig', ofScope('C'))}
${declared('TopicConfig', 'What the configuration of any topic takes.', null, ['opaque'])}
${declared('ProducerTopicConfig', "What the configuration of a producer's topics takes.", 'TopicConfig', ofTopics.P)}
${declared('ConsumerTopicConfig', "What the configuration of a consumer's topics takes.", 'TopicConfig', ofTopics.C)}`
}

function declared(name: string, doc: string, base: string | null, names: readonly string[], more?: string): string {
  const fields = [...names.map(field), ...(more === undefined ? [] : [more])]
  const head = base === null ? name : `${name} extends ${base}`
  return `/** ${doc} */\nexport interface ${head} {\n${fields.join('\n')}\n}\n`
}

function field(name: string): string {
  const property = all[name]
  if (property === undefined) throw new Error(`there is no property ${name}`)
  const key = /^\w+$/.test(name) ? name : `'${name}'`
  const doc = property.status.is === 'clib' ? `${property.doc} No effect.` : property.doc
  return `  /** ${doc} */\n  ${key}?: ${theirs[name] ?? typeOf(property, words[name] ?? [])}`
}

function typeOf(property: Property, more: readonly string[]): string {
  switch (property.kind) {
    case 'bool':
      return 'boolean'
    case 'int':
    case 'float':
      return 'number'
    case 'choice':
      return [...property.values, ...more].map(value => `'${value}'`).join(' | ')
    case 'list':
    case 'servers':
    case 'text':
      return 'string'
    case 'elsewhere':
      return 'any'
    default:
      return property satisfies never
  }
}
