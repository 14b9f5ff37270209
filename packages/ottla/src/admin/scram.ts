import { AlterUserScramCredentials, DescribeUserScramCredentials } from '@ottla/protocol'
import { crypto, derive } from '../base/crypto.ts'
import type { KafkaError } from '../errors.ts'
import type { Bytes } from '../types.ts'
import {
  INT32_MAX,
  requireDistinct,
  requireInteger,
  requireItems,
  requireName,
  requireThat,
  requireWord,
} from './arguments.ts'
import { controllerMoved, itemError, missingAnswer, withError, type AdminCall } from './call.ts'

/**
 * The hash of a password.
 * @since 0.1.0
 */
export type ScramMechanism = 'SCRAM-SHA-256' | 'SCRAM-SHA-512'

/**
 * Sets or deletes a user's password for one mechanism (KIP-554).
 * @since 0.1.0
 */
export type ScramCredentialAlteration =
  | {
      readonly user: string
      readonly mechanism: ScramMechanism
      /** Brokers accept 4096 to 16384. */
      readonly iterations: number
      /** Never sent: the broker gets a salted hash. */
      readonly password: Bytes
      /** Default: 64 random bytes. */
      readonly salt?: Uint8Array
      readonly delete?: false
    }
  | { readonly user: string; readonly mechanism: ScramMechanism; readonly delete: true }

/**
 * The outcome for one alteration.
 * @since 0.1.0
 */
export interface ScramUserResult {
  user: string
  error?: KafkaError
}

/**
 * The mechanisms for which a user has a password.
 * @since 0.1.0
 */
export interface ScramUserDescription extends ScramUserResult {
  credentials: { mechanism: ScramMechanism; iterations: number }[]
}

const mechanisms: Readonly<Record<ScramMechanism, { number: number; hash: string; length: number }>> = {
  'SCRAM-SHA-256': { number: 1, hash: 'sha256', length: 32 },
  'SCRAM-SHA-512': { number: 2, hash: 'sha512', length: 64 },
}
const mechanismNumbers: ReadonlyMap<string, number> = new Map(
  Object.entries(mechanisms).map(([name, { number }]) => [name, number]),
)
const SALT_BYTES = 64

/** @param users all users if empty */
export async function describeUserScramCredentials(
  call: AdminCall,
  users: readonly string[],
): Promise<ScramUserDescription[]> {
  users.forEach((user, i) => requireName(user, `users[${i}]`))
  requireDistinct(users, user => user, 'users')
  const { deadline, signal } = call
  const body = { users: users.length === 0 ? null : users.map(name => ({ name })) }
  const response = await call.cluster.request({ to: 'any' }, DescribeUserScramCredentials, body, { deadline, signal })
  const error = itemError(response.errorCode, response.errorMessage, 'describing SCRAM credentials')
  if (error !== undefined) throw error
  const results = response.results.map((r): ScramUserDescription => ({
    user: r.user,
    credentials: r.credentialInfos.flatMap(({ mechanism, iterations }) => {
      const name = mechanismName(mechanism)
      return name === undefined ? [] : [{ mechanism: name, iterations }]
    }),
    ...withError(itemError(r.errorCode, r.errorMessage, `user '${r.user}'`)),
  }))
  if (users.length === 0) return results
  return users.map(
    user => results.find(r => r.user === user) ?? { user, credentials: [], error: missingAnswer(`user '${user}'`) },
  )
}

export async function alterUserScramCredentials(
  call: AdminCall,
  alterations: readonly ScramCredentialAlteration[],
): Promise<ScramUserResult[]> {
  requireItems(alterations, 'alterations')
  alterations.forEach(checkAlteration)
  requireDistinct(alterations, a => `${a.user} ${a.mechanism}`, 'alterations')
  const { threads } = call.context
  const deletions = []
  const upsertions = []
  for (const a of alterations) {
    const mechanism = mechanisms[a.mechanism].number
    if (a.delete === true) {
      deletions.push({ name: a.user, mechanism })
      continue
    }
    const salt = a.salt ?? crypto().randomBytes(SALT_BYTES)
    const saltedPassword = await threads.run(() => saltPassword(a.mechanism, a.password, salt, a.iterations))
    upsertions.push({ name: a.user, mechanism, iterations: a.iterations, salt, saltedPassword })
  }
  const { deadline, signal } = call
  const body = { deletions, upsertions }
  const response = await call.cluster.request({ to: 'controller' }, AlterUserScramCredentials, body, {
    deadline,
    signal,
    errorOf: r => controllerMoved(r.results.map(result => result.errorCode)),
  })
  // The broker answers once per user, however many mechanisms were altered.
  const answers = new Map(response.results.map(r => [r.user, r]))
  return alterations.map(({ user }) => {
    const answer = answers.get(user)
    const subject = `user '${user}'`
    if (answer === undefined) return { user, error: missingAnswer(subject) }
    return { user, ...withError(itemError(answer.errorCode, answer.errorMessage, subject)) }
  })
}

/** Hi() of RFC 5802, the only form of the password that is sent. */
export function saltPassword(
  mechanism: ScramMechanism,
  password: Bytes,
  salt: Uint8Array,
  iterations: number,
): Promise<Buffer> {
  const { hash, length } = mechanisms[mechanism]
  return derive(password, salt, iterations, length, hash)
}

function checkAlteration(alteration: ScramCredentialAlteration, index: number): void {
  const user = requireName(alteration.user, `alterations[${index}].user`)
  requireWord(alteration.mechanism, mechanismNumbers, `mechanism of user '${user}'`)
  if (alteration.delete === true) return
  requireInteger(alteration.iterations, `iterations of user '${user}'`, 1, INT32_MAX)
  requireThat(isBytes(alteration.password), `the password of user '${user}' must be a string or bytes, and not empty`)
  if (alteration.salt !== undefined) {
    requireThat(isBytes(alteration.salt), `the salt of user '${user}' must be bytes, and not empty`)
  }
}

function isBytes(value: unknown): boolean {
  return (typeof value === 'string' || value instanceof Uint8Array) && value.length > 0
}

function mechanismName(number: number): ScramMechanism | undefined {
  if (number === mechanisms['SCRAM-SHA-256'].number) return 'SCRAM-SHA-256'
  return number === mechanisms['SCRAM-SHA-512'].number ? 'SCRAM-SHA-512' : undefined
}
