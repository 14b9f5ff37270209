import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type {
  ClientQuotaAlteration,
  QuotaEntity,
  QuotaEntityType,
  QuotaFilterComponent,
  ScramCredentialAlteration,
  ScramMechanism,
} from 'ottla'
import { parsePair } from './admin-arguments.ts'
import { lines, option, subject, verb, type AdminContext } from './admin-session.ts'
import { integer } from './options.ts'
import type { Column } from './table.ts'
import { UsageError } from './terminal.ts'

interface SetOptions {
  readonly mechanism: string
  readonly iterations: number
  readonly password?: string
}

const DEFAULT_ITERATIONS = 8192

export function addUsers(admin: AdminContext): void {
  const users = subject(admin, 'users', 'SCRAM users and their passwords')
  verb(users, 'list [users...]', 'Who has a password, and for which mechanism', [], async (session, _, names) => {
    const client = await session.connect()
    const found = await client.describeUserScramCredentials(names, session.limits)
    const columns = [
      { title: 'user', cell: u => u.user },
      { title: 'mechanisms', cell: u => u.credentials.map(c => `${c.mechanism} (${c.iterations})`).join(', ') },
    ] satisfies Column<(typeof found)[number]>[]
    session.table(found, columns, 'nobody has a password')
  })

  const mechanism = option('--mechanism <name>', 'SCRAM-SHA-256 or SCRAM-SHA-512', upper, 'SCRAM-SHA-512')
  const setOptions = [
    mechanism,
    option('--iterations <number>', 'of the hash; brokers accept 4096 to 16384', integer(1), DEFAULT_ITERATIONS),
    option('--password <password>', 'seen in the process list; by default the first line of standard input'),
  ]
  verb<SetOptions>(users, 'set <user>', 'Give a user a password', setOptions, async (session, options, [user = '']) => {
    const password = options.password ?? (await firstLine(session.terminal.stdin))
    if (password === '') throw new UsageError('the password is empty: write it to standard input, or give --password')
    const wanted: ScramCredentialAlteration = {
      user,
      // The word is checked by the client.
      mechanism: options.mechanism as ScramMechanism,
      iterations: options.iterations,
      password,
    }
    const client = await session.connect()
    session.done(await client.alterUserScramCredentials([wanted], session.limits), () => `${user} has a new password`)
  })

  verb<{ mechanism: string }>(
    users,
    'delete <user>',
    'Take a password away',
    [mechanism],
    async (session, options, [user = '']) => {
      const wanted: ScramCredentialAlteration = { user, mechanism: options.mechanism as ScramMechanism, delete: true }
      const client = await session.connect()
      const results = await client.alterUserScramCredentials([wanted], session.limits)
      session.done(results, () => `${user} has no password for ${options.mechanism} any more`)
    },
  )
}

interface EntityOptions {
  readonly user?: string
  readonly client?: string
  readonly ip?: string
  readonly defaultUser?: boolean
  readonly defaultClient?: boolean
  readonly defaultIp?: boolean
}

interface QuotaListOptions extends EntityOptions {
  readonly strict?: boolean
}

const entityOptions = [
  option('--user <name>', 'of a user; together with a client: of both'),
  option('--client <id>', 'of a client.id'),
  option('--ip <address>', 'of an address'),
  option('--default-user', 'of users that have none of their own'),
  option('--default-client', 'of client ids that have none of their own'),
  option('--default-ip', 'of addresses that have none of their own'),
]

export function addQuotas(admin: AdminContext): void {
  const quotas = subject(admin, 'quotas', 'List, set and take away quotas of users, clients and addresses')
  const strict = option('--strict', 'only quotas that are for nothing besides')
  verb<QuotaListOptions>(
    quotas,
    'list',
    'The quotas that match; all of them by default',
    [...entityOptions, strict],
    async (session, options) => {
      const components = Object.entries(entityOf(options)).map(([type, name]): QuotaFilterComponent => {
        const entityType = type as QuotaEntityType // entityOf has made the key
        return name === null ? { type: entityType, match: 'default' } : { type: entityType, match: 'exact', name }
      })
      const client = await session.connect()
      const found = await client.describeClientQuotas({ components, strict: options.strict === true }, session.limits)
      const columns = [
        { title: 'for', cell: q => entityText(q.entity) },
        {
          title: 'quotas',
          cell: q =>
            Object.entries(q.quotas)
              .map(pair => pair.join('='))
              .sort()
              .join(' '),
        },
      ] satisfies Column<(typeof found)[number]>[]
      session.emit(found, () => lines(found, columns, 'no quotas'))
    },
  )

  const dryRun = option('--dry-run', 'have the broker check it, and change nothing')
  const change = (words: string, description: string, quotaOf: (text: string) => [string, number | null]): void => {
    verb<EntityOptions & { dryRun?: boolean }>(
      quotas,
      words,
      description,
      [...entityOptions, dryRun],
      async (session, options, entries) => {
        const entity = entityOf(options)
        if (Object.keys(entity).length === 0) throw new UsageError('say whose with --user, --client, --ip or a default')
        const wanted: ClientQuotaAlteration = { entity, quotas: Object.fromEntries(entries.map(quotaOf)) }
        const client = await session.connect()
        const validateOnly = options.dryRun === true
        const results = await client.alterClientQuotas([wanted], { ...session.limits, validateOnly })
        session.done(results, r => `quotas of ${entityText(r.entity)} ${validateOnly ? 'could be' : 'are'} changed`)
      },
    )
  }
  change('set <quotas...>', 'Set quotas, written NAME=NUMBER: producer_byte_rate, consumer_byte_rate, ...', quotaPair)
  change('unset <names...>', 'Take quotas away', name => [name, null])
}

/** What the options name; two for the same part of it cannot be meant. */
export function entityOf(options: EntityOptions): QuotaEntity {
  const part = (type: QuotaEntityType, name: string | undefined, isDefault: boolean | undefined): QuotaEntity => {
    if (name !== undefined && isDefault === true) throw new UsageError(`give a ${type} or the default one, not both`)
    if (isDefault === true) return { [type]: null }
    return name === undefined ? {} : { [type]: name }
  }
  return {
    ...part('user', options.user, options.defaultUser),
    ...part('client-id', options.client, options.defaultClient),
    ...part('ip', options.ip, options.defaultIp),
  }
}

function quotaPair(text: string): [string, number] {
  const [name, value] = parsePair(text)
  const number = Number(value)
  if (value === '' || Number.isNaN(number)) throw new UsageError(`${text}: the quota is a number`)
  return [name, number]
}

function entityText(entity: QuotaEntity): string {
  return Object.entries(entity)
    .map(([type, name]) => (name === null ? `default ${type}` : `${type} ${name}`))
    .join(', ')
}

function upper(value: string): string {
  return value.toUpperCase()
}

async function firstLine(input: Readable): Promise<string> {
  for await (const line of createInterface({ input })) return line
  return ''
}
