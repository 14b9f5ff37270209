import type { ClientQuotaAlteration, QuotaEntity, QuotaEntityType, QuotaFilterComponent } from 'ottla'
import type { Column } from '../terminal/table.ts'
import { UsageError } from '../terminal/terminal.ts'
import { parsePair } from './arguments.ts'
import { lines, option, subject, verb, type AdminContext } from './session.ts'

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
