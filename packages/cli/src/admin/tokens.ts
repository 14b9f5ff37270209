import type { DelegationToken } from 'ottla'
import { collect, integer } from '../terminal/parsers.ts'
import type { Column } from '../terminal/table.ts'
import { UsageError } from '../terminal/terminal.ts'
import { lines, option, subject, verb, type AdminContext } from './session.ts'
import { shownTime } from './shown.ts'

interface CreateTokenOptions {
  readonly owner?: string
  readonly renewer: readonly string[]
  readonly maxLifetime?: number
}

export function addTokens(admin: AdminContext): void {
  const tokens = subject(admin, 'tokens', 'Delegation tokens')
  const columns = [
    { title: 'token', cell: t => t.tokenId },
    { title: 'owner', cell: t => t.owner },
    { title: 'requester', cell: t => t.requester },
    { title: 'renewers', cell: t => t.renewers.join(',') },
    { title: 'expires', cell: t => shownTime(t.expiryTimestamp) },
    { title: 'at the latest', cell: t => shownTime(t.maxTimestamp) },
  ] satisfies Column<DelegationToken>[]
  const owner = option('--owner <principal>', 'only tokens of this user, as User:alice; repeatable', collect, [])
  verb<{ owner: readonly string[] }>(
    tokens,
    'list',
    'The tokens that you may see; with --json their secrets, too',
    [owner],
    async (session, options) => {
      const owners = options.owner.length === 0 ? {} : { owners: options.owner }
      const client = await session.connect()
      const found = await client.describeDelegationToken({ ...session.limits, ...owners })
      session.emit(found, () => lines(found, columns, 'no tokens'))
    },
  )

  const createOptions = [
    option('--owner <principal>', 'whom it speaks for, as User:alice; by default you'),
    option('--renewer <principal>', 'who may renew it besides; repeatable', collect, []),
    option('--max-lifetime <ms>', "however often it is renewed; by default the broker's", integer(1)),
  ]
  verb<CreateTokenOptions>(
    tokens,
    'create',
    'Make a token; the secret is shown once',
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

  const period = option('--period <ms>', "from now on; by default the broker's", integer(1))
  verb<{ period?: number }>(
    tokens,
    'renew <secret>',
    'Let a token live longer; the secret in base64',
    [period],
    async (session, options, [secret = '']) => {
      const hmac = secretOf(secret)
      const client = await session.connect()
      const renewing = options.period === undefined ? {} : { renewPeriodMs: options.period }
      const expiryTimestamp = await client.renewDelegationToken(hmac, { ...session.limits, ...renewing })
      session.did({ expiryTimestamp }, `expires ${shownTime(expiryTimestamp)}`)
    },
  )

  const until = option('--period <ms>', 'from now on; by default at once', integer(1))
  verb<{ period?: number }>(
    tokens,
    'expire <secret>',
    'Let a token end; the secret in base64',
    [until],
    async (session, options, [secret = '']) => {
      const hmac = secretOf(secret)
      const client = await session.connect()
      const expiring = options.period === undefined ? {} : { expiryPeriodMs: options.period }
      const expiryTimestamp = await client.expireDelegationToken(hmac, { ...session.limits, ...expiring })
      session.did({ expiryTimestamp }, `expires ${shownTime(expiryTimestamp)}`)
    },
  )
}

/** The text itself is in no message: it may be a secret with a slip in it. */
function secretOf(text: string): Buffer {
  const secret = Buffer.from(text, 'base64')
  if (secret.length === 0) throw new UsageError('the secret is written in base64')
  return secret
}
