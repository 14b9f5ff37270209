import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { ScramCredentialAlteration, ScramMechanism } from 'ottla'
import { integer } from '../terminal/parsers.ts'
import type { Column } from '../terminal/table.ts'
import { UsageError } from '../terminal/terminal.ts'
import { option, subject, verb, type AdminContext } from './session.ts'

interface SetOptions {
  readonly mechanism: string
  readonly iterations: number
  readonly password?: string
}

const DEFAULT_ITERATIONS = 8192

export function addUsers(admin: AdminContext): void {
  const users = subject(admin, 'users', 'List, set and delete SCRAM passwords of users')
  verb(users, 'list [users...]', 'List users with a password, and its mechanisms', [], async (session, _, names) => {
    const client = await session.connect()
    const found = await client.describeUserScramCredentials(names, session.limits)
    const columns = [
      { title: 'user', cell: u => u.user },
      { title: 'mechanisms', cell: u => u.credentials.map(c => `${c.mechanism} (${c.iterations})`).join(', ') },
    ] satisfies Column<(typeof found)[number]>[]
    session.table(found, columns, 'no user has a password')
  })

  const mechanism = option('--mechanism <name>', 'SCRAM-SHA-256 or SCRAM-SHA-512', upper, 'SCRAM-SHA-512')
  const setOptions = [
    mechanism,
    option(
      '--iterations <number>',
      'iterations of the hash; brokers accept 4096 to 16384',
      integer(1),
      DEFAULT_ITERATIONS,
    ),
    option('--password <password>', 'visible in the process list; by default the first line of standard input'),
  ]
  verb<SetOptions>(
    users,
    'set <user>',
    'Set the password of a user',
    setOptions,
    async (session, options, [user = '']) => {
      const password = options.password ?? (await firstLine(session.terminal.stdin))
      if (password === '') throw new UsageError('the password is empty: write it to standard input, or give --password')
      const wanted: ScramCredentialAlteration = {
        user,
        // The client checks the word.
        mechanism: options.mechanism as ScramMechanism,
        iterations: options.iterations,
        password,
      }
      const client = await session.connect()
      session.printResults(
        await client.alterUserScramCredentials([wanted], session.limits),
        () => `${user} has a new password`,
      )
    },
  )

  verb<{ mechanism: string }>(
    users,
    'delete <user>',
    'Delete the password of a user',
    [mechanism],
    async (session, options, [user = '']) => {
      const wanted: ScramCredentialAlteration = { user, mechanism: options.mechanism as ScramMechanism, delete: true }
      const client = await session.connect()
      const results = await client.alterUserScramCredentials([wanted], session.limits)
      session.printResults(results, () => `${user} no longer has a password for ${options.mechanism}`)
    },
  )
}

function upper(value: string): string {
  return value.toUpperCase()
}

async function firstLine(input: Readable): Promise<string> {
  for await (const line of createInterface({ input })) return line
  return ''
}
