/** Writes which of librdkafka's properties do not do here what they do there. */
import type { Property } from '../../packages/ottla/src/config/property.ts'
import { aliases, properties } from '../../packages/ottla/src/config/table.ts'

/** Properties of `ottla`'s own. */
const OWN = /^ottla\./

export function librdkafkaPropertiesPage(): string {
  const all = Object.entries<Property>(properties).filter(([name]) => !OWN.test(name))
  const elsewhere = all.flatMap(([name, { status, doc }]) =>
    status.is === 'elsewhere' ? [`| ${shown(name)} | ${cell(status.use)} | ${cell(doc)} |`] : [],
  )
  const without = all.flatMap(([name, { status, doc }]) =>
    status.is === 'clib' ? [`| ${shown(name)} | ${cell(doc)} |`] : [],
  )
  const own = Object.keys(properties).filter(name => OWN.test(name))
  const same = all.length - elsewhere.length - without.length
  return `# librdkafka's properties that are different

Generated from the table in \`packages/ottla/src/config\`; run \`npm run docs\` after changing it.

${same} of librdkafka's properties do here what they do there; [CONFIGURATION.md](../../CONFIGURATION.md) has all of them. The
others follow. Besides, \`ottla\` has some of its own: ${own.map(name => `\`${name}\``).join(', ')}.

## Set in another way

Functions and objects are not properties here: a configuration can be written as JSON.

| property | instead | what it is |
| --- | --- | --- |
${elsewhere.join('\n')}

## Without effect

Taken, with a warning: they are about the C library, its threads or its sockets, or not even it uses them any more.

| property | why |
| --- | --- |
${without.join('\n')}
`
}

function shown(name: string): string {
  const others = Object.entries(aliases).flatMap(([alias, target]) => (target === name ? [`\`${alias}\``] : []))
  return [`\`${name}\``, ...others].join(', ')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
