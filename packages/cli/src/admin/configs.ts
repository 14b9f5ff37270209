import type { ConfigEntry, ConfigOperation, ConfigResource } from 'ottla'
import type { Column } from '../terminal/table.ts'
import { UsageError } from '../terminal/terminal.ts'
import { parsePair } from './arguments.ts'
import { lines, option, subject, verb, type AdminContext, type AdminSession } from './session.ts'

const types = ['topic', 'broker', 'broker-logger', 'group', 'client-metrics'] as const
const TYPE_HELP = `${types.join(', ')}; the broker '' is the default of all brokers`

type Entry = ConfigEntry & { readonly name: string }

export function addConfigs(admin: AdminContext): void {
  const configs = subject(admin, 'configs', 'List, describe and change configurations')
  const all = option('--all', 'show defaults, too')
  verb<{ all?: boolean }>(
    configs,
    'describe <type> <names...>',
    `Show entries that differ from the defaults. TYPE: ${TYPE_HELP}`,
    [all],
    async (session, options, [type, ...names]) => {
      const resources = names.map(name => resource(type, name))
      const client = await session.connect()
      const described = await client.describeConfigs(resources, session.limits)
      const shown = described.map(d => ({
        ...d,
        entries: Object.fromEntries(
          Object.entries(d.entries).filter(([, entry]) => options.all === true || isSet(entry)),
        ),
      }))
      session.emit(shown, () => shown.flatMap(d => (d.error === undefined ? resourceLines(d, d.entries) : [])))
      session.reportErrors(described.map(d => d.error))
    },
  )

  verb(configs, 'list [types...]', 'List what has its own configuration (Kafka 4.1)', [], async (session, _, given) => {
    const wanted = given.length === 0 ? undefined : given.map(typeOf)
    const client = await session.connect()
    const found = await client.listConfigResources(wanted, session.limits)
    const columns = [
      { title: 'type', cell: r => r.type },
      { title: 'name', cell: r => (r.name === '' ? '(default)' : r.name) },
    ] satisfies Column<ConfigResource>[]
    session.emit(found, () => lines(found, columns, 'nothing has its own configuration'))
  })

  const changes: readonly (readonly [string, ConfigOperation, string])[] = [
    ['set <type> <name> <entries...>', 'set', 'Set entries, written NAME=VALUE; others stay'],
    ['unset <type> <name> <entries...>', 'delete', 'Reset entries to their defaults'],
    ['append <type> <name> <entries...>', 'append', 'Add to lists, written NAME=VALUE'],
    ['subtract <type> <name> <entries...>', 'subtract', 'Remove from lists, written NAME=VALUE'],
  ]
  const dryRun = option('--dry-run', 'let the broker check it, and change nothing')
  for (const [words, operation, description] of changes) {
    verb<{ dryRun?: boolean }>(
      configs,
      words,
      description,
      [dryRun],
      (session, options, [type, name = '', ...entries]) =>
        change(session, resource(type, name), operation, entries, options.dryRun === true),
    )
  }
}

async function change(
  session: AdminSession,
  what: ConfigResource,
  operation: ConfigOperation,
  entries: readonly string[],
  validateOnly: boolean,
): Promise<void> {
  const wanted = entries.map(text => {
    const [name, value] = operation === 'delete' ? [text, null] : parsePair(text)
    return { name, value, operation }
  })
  const client = await session.connect()
  const results = await client.incrementalAlterConfigs([{ ...what, entries: wanted }], {
    ...session.limits,
    validateOnly,
  })
  session.printResults(
    results,
    r => `${r.type} ${r.name === '' ? '(default)' : r.name} ${validateOnly ? 'could be' : 'is'} changed`,
  )
}

/** Whether somebody has set the entry, here or for the whole cluster. */
function isSet(entry: ConfigEntry): boolean {
  return entry.source !== 'default' && entry.source !== 'static-broker'
}

function resource(type: string | undefined, name: string): ConfigResource {
  return { type: typeOf(type ?? ''), name }
}

function typeOf(text: string): ConfigResource['type'] {
  const type = types.find(t => t === text || `${t}s` === text)
  if (type === undefined) throw new UsageError(`${text}: the type must be one of ${types.join(', ')}`)
  return type
}

const columns: Column<Entry>[] = [
  { title: 'name', cell: e => e.name },
  { title: 'value', cell: e => (e.isSensitive ? '(sensitive)' : (e.value ?? '(none)')) },
  { title: 'source', cell: e => e.source },
  { title: '', cell: e => (e.isReadOnly ? 'read only' : '') },
]

function resourceLines(what: ConfigResource, entries: Readonly<Record<string, ConfigEntry>>): string[] {
  const rows = Object.entries(entries).map(([name, entry]): Entry => ({ ...entry, name }))
  rows.sort((a, b) => (a.name < b.name ? -1 : 1))
  const title = `${what.type} ${what.name === '' ? '(default)' : what.name}`
  return [title, ...lines(rows, columns, 'nothing differs from the defaults'), '']
}
