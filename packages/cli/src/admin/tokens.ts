import type { DelegationToken } from 'ottla'
import { collect, integer } from '../terminal/parsers.ts'
import type { Column } from '../terminal/table.ts'
import { UsageError } from '../terminal/terminal.ts'
import { lines, option, subject, verb, type AdminContext } from './session.ts'
import { timeText } from './display.ts'

interface CreateTokenOptions {
  readonly owner?: string
  readonly renewer: readonly string[]
  readonly maxLifetime?: number
}

export function addTokens(admin: AdminContext): void {
  const tokens = subject(admin, 'tokens', 'List, create, renew and expire delegation tokens')
  const columns = [
    { title: 'token', cell: t => t.tokenId },
    { title: 'owner', cell: t => t.owner },
    { title: 'requester', cell: t => t.requester },
    { title: 'renewers', cell: t => t.renewers.join(',') },
    { title: 'expires', cell: t => timeText(t.expiryTimestamp) },
    { title: 'at the latest', cell: t => timeText(t.maxTimestamp) },
  ] satisfies Column<DelegationToken>[]
  const owner = option('--owner <principal>', 'only tokens of this user, as in User:alice; repeatable', collect, [])
  verb<{ owner: readonly string[] }>(
    tokens,
    'list',
    'List the tokens that you may see; with --json their secrets, too',
    [owner],
    async (session, options) => {
      const owners = options.owner.length === 0 ? {} : { owners: options.owner }
      const client = await session.connect()
      const found = await client.describeDelegationToken({ ...session.limits, ...owners })
      session.emit(found, () => lines(found, columns, 'no tokens'))
    },
  )

  const createOptions = [
    option('--owner <principal>', 'the user that it authenticates, as in User:alice; by default you'),
    option('--renewer <principal>', 'another user who may renew it; repeatable', collect, []),
    option('--max-lifetime <ms>', "limit despite renewals; by default the broker's", integer(1)),
  ]
  verb<CreateTokenOptions>(
    tokens,
    'create',
    'Create a token; its secret is shown only once',
    createOptions,
    async (session, options) => {
      const client = await session.connect()
      const token = await client.createDelegationToken({
        ...session.limits,
        renewers: options.renewer,
        ...(options.owner === undefined ? {} : { owner: options.owner }),
        ...(options.maxLifetime === undefined ? {} : { maxLifetimeMs: options.maxLifetime }),
      })
      session.emit(token, () => [...lines([token], columns), '', `secret ${token.hmac.toString('base64')}`])
    },
  )

  const renewPeriod = option('--period <ms>', "lifetime from now; by default the broker's", integer(1))
  verb<{ period?: number }>(
    tokens,
    'renew <secret>',
    'Extend the lifetime of a token, given its secret in base64',
    [renewPeriod],
    async (session, options, [secret = '']) => {
      const hmac = secretOf(secret)
      const client = await session.connect()
      const renewing = options.period === undefined ? {} : { renewPeriodMs: options.period }
      const expiryTimestamp = await client.renewDelegationToken(hmac, { ...session.limits, ...renewing })
      session.printResult({ expiryTimestamp }, `expires ${timeText(expiryTimestamp)}`)
    },
  )

  const expiryPeriod = option('--period <ms>', 'lifetime from now; by default it expires at once', integer(1))
  verb<{ period?: number }>(
    tokens,
    'expire <secret>',
    'Expire a token, given its secret in base64',
    [expiryPeriod],
    async (session, options, [secret = '']) => {
      const hmac = secretOf(secret)
      const client = await session.connect()
      const expiring = options.period === undefined ? {} : { expiryPeriodMs: options.period }
      const expiryTimestamp = await client.expireDelegationToken(hmac, { ...session.limits, ...expiring })
      session.printResult({ expiryTimestamp }, `expires ${timeText(expiryTimestamp)}`)
    },
  )
}

/** Errors do not quote the text: it may be a mistyped secret. */
function secretOf(text: string): Buffer {
  const secret = Buffer.from(text, 'base64')
  if (secret.length === 0) throw new UsageError('the secret must be in base64')
  return secret
}
