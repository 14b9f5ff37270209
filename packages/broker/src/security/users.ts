/** Users with their passwords. Changes at any time concern later log-ins only. */
import { timingSafeEqual } from 'node:crypto'
import type { Random } from '../base/random.ts'
import {
  MIN_ITERATIONS,
  credentialOf,
  scramMechanisms,
  type ScramCredential,
  type ScramMechanism,
} from './sasl/scram-credential.ts'

/**
 * A user's password, and how its SCRAM credentials are made.
 * @since 0.1.0
 */
export interface UserOptions {
  readonly password: string
  /** Iterations of SCRAM; 4096 by default. */
  readonly iterations?: number
  /** Salt of SCRAM; random by default. */
  readonly salt?: Uint8Array
}

const SALT_BYTES = 20

export class UserStore {
  readonly #passwords = new Map<string, Buffer>()
  readonly #scram = new Map<string, Map<ScramMechanism, ScramCredential>>()
  readonly #mechanisms: readonly ScramMechanism[]
  readonly #random: Random

  /** @param mechanisms those of the listeners; credentials are made for the SCRAM ones */
  constructor(mechanisms: readonly string[], random: Random) {
    this.#mechanisms = scramMechanisms.filter(mechanism => mechanisms.includes(mechanism))
    this.#random = random
  }

  /** Adds or replaces a user, for every mechanism. Throws RangeError for invalid iterations. */
  set(name: string, user: string | UserOptions): void {
    const { password, iterations = MIN_ITERATIONS, salt } = typeof user === 'string' ? { password: user } : user
    if (!Number.isInteger(iterations) || iterations < 1)
      throw new RangeError(`user ${name}: iterations is ${iterations}, it must be a positive whole number`)
    this.#passwords.set(name, Buffer.from(password))
    for (const mechanism of this.#mechanisms) {
      const ownSalt = salt === undefined ? this.#random.bytes(SALT_BYTES) : Buffer.from(salt)
      this.setScram(name, mechanism, credentialOf(mechanism, password, ownSalt, iterations))
    }
  }

  /** @returns whether the user existed */
  delete(name: string): boolean {
    const hadScram = this.#scram.delete(name)
    return this.#passwords.delete(name) || hadScram
  }

  hasPassword(name: string, password: string): boolean {
    const known = this.#passwords.get(name)
    const given = Buffer.from(password)
    return known?.length === given.length && timingSafeEqual(known, given)
  }

  scram(name: string, mechanism: ScramMechanism): ScramCredential | undefined {
    return this.#scram.get(name)?.get(mechanism)
  }

  setScram(name: string, mechanism: ScramMechanism, credential: ScramCredential): void {
    const credentials = this.#scram.get(name) ?? new Map<ScramMechanism, ScramCredential>()
    this.#scram.set(name, credentials.set(mechanism, credential))
  }

  deleteScram(name: string, mechanism: ScramMechanism): void {
    const credentials = this.#scram.get(name)
    credentials?.delete(mechanism)
    if (credentials?.size === 0) this.#scram.delete(name)
  }

  /** All users with SCRAM credentials. */
  scramUsers(): IterableIterator<string> {
    return this.#scram.keys()
  }
}
