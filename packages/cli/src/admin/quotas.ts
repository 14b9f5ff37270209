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
  option('--user <name>', 'for a user; with --client, for both together'),
  option('--client <id>', 'for a client.id'),
  option('--ip <address>', 'for an address'),
  option('--default-user', 'for users without their own'),
  option('--default-client', 'for client ids without their own'),
  option('--default-ip', 'for addresses without their own'),
]

export function addQuotas(admin: AdminContext): void {
  const quotas = subject(admin, 'quotas', 'List, set and remove quotas of users, clients and addresses')
  const strict = option('--strict', 'only quotas for exactly these entities')
  verb<QuotaListOptions>(
    quotas,
    'list',
    'List matching quotas; all of them by default',
    [...entityOptions, strict],
    async (session, options) => {
      const components = Object.entries(entityOf(options)).map(([type, name]): QuotaFilterComponent => {
        const entityType = type as QuotaEntityType // entityOf makes the keys
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

  const dryRun = option('--dry-run', 'let the broker check it, and change nothing')
  const change = (words: string, description: string, quotaOf: (text: string) => [string, number | null]): void => {
    verb<EntityOptions & { dryRun?: boolean }>(
      quotas,
      words,
      description,
      [...entityOptions, dryRun],
      async (session, options, entries) => {
        const entity = entityOf(options)
        if (Object.keys(entity).length === 0)
          throw new UsageError('name an entity with --user, --client, --ip or a default')
        const wanted: ClientQuotaAlteration = { entity, quotas: Object.fromEntries(entries.map(quotaOf)) }
        const client = await session.connect()
        const validateOnly = options.dryRun === true
        const results = await client.alterClientQuotas([wanted], { ...session.limits, validateOnly })
        session.printResults(
          results,
          r => `quotas of ${entityText(r.entity)} ${validateOnly ? 'could be' : 'are'} changed`,
        )
      },
    )
  }
  change('set <quotas...>', 'Set quotas, written NAME=NUMBER: producer_byte_rate, consumer_byte_rate, ...', quotaPair)
  change('unset <names...>', 'Remove quotas', name => [name, null])
}

/**
 * The entity that the options name.
 * @throws UsageError for a name and the default of the same type
 */
export function entityOf(options: EntityOptions): QuotaEntity {
  const part = (type: QuotaEntityType, name: string | undefined, isDefault: boolean | undefined): QuotaEntity => {
    if (name !== undefined && isDefault === true)
      throw new UsageError(`give a ${type} or the default ${type}, not both`)
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
  if (value === '' || Number.isNaN(number)) throw new UsageError(`${text}: the quota must be a number`)
  return [name, number]
}

function entityText(entity: QuotaEntity): string {
  return Object.entries(entity)
    .map(([type, name]) => (name === null ? `default ${type}` : `${type} ${name}`))
    .join(', ')
}
