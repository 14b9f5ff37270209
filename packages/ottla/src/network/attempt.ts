/** One attempt to get a connection: tries the addresses of a name in parallel when one does not answer. */
import type { Clock } from '../base/clock.ts'
import { firstOf } from '../base/first.ts'
import { asRequestError, type Connection } from './connection.ts'
import { handshake, type BrokerFeatures, type HandshakeSettings } from './handshake.ts'
import type { RequestError } from './request-error.ts'
import type { AddressBook } from './transport.ts'

/**
 * How long an address, or a broker that others can replace, may not answer before the next is tried in parallel (RFC
 * 8305).
 */
export const PARALLEL_AFTER_MS = 250

export interface Opened {
  readonly connection: Connection
  readonly features: BrokerFeatures
}

export class Attempt {
  readonly #clock: Clock
  readonly #abort = new AbortController()
  readonly #open = new Set<Connection>()
  #winner: Connection | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Why the attempt was given up, or null. */
  get reason(): unknown {
    const { aborted, reason } = this.#abort.signal as { readonly aborted: boolean; readonly reason: unknown }
    return aborted ? reason : null
  }

  /**
   * Rejects with RequestError.
   * @param onLost - called when the connection is lost that this attempt made
   */
  async run(
    addresses: AddressBook,
    settings: HandshakeSettings,
    make: (onClosed: (error: RequestError) => void) => Connection,
    onLost: (error: RequestError) => void,
  ): Promise<Opened> {
    try {
      return await firstOf(this.#clock, PARALLEL_AFTER_MS, number => {
        if (this.#abort.signal.aborted || (number > 0 && !addresses.hasMore)) return null
        return this.#try(addresses, settings, make, onLost)
      })
    } finally {
      for (const connection of this.#open) {
        if (connection !== this.#winner) connection.close(this.#lateError(connection))
      }
      this.#open.clear()
    }
  }

  /** Gives up the attempt; does nothing once there is a connection. */
  giveUp(reason: unknown): void {
    if (this.#winner !== null) return
    this.#abort.abort(reason)
    for (const connection of this.#open) connection.close(asRequestError(reason, connection.endpoint.name))
  }

  async #try(
    addresses: AddressBook,
    settings: HandshakeSettings,
    make: (onClosed: (error: RequestError) => void) => Connection,
    onLost: (error: RequestError) => void,
  ): Promise<Opened> {
    const connection: Connection = make(error => {
      if (connection === this.#winner) onLost(error)
    })
    this.#open.add(connection)
    try {
      await connection.open(addresses, this.#abort.signal)
      const features = await handshake(connection, settings, this.#clock)
      if (this.#winner !== null) throw this.#lateError(connection)
      connection.markUp()
      this.#winner = connection
      return { connection, features }
    } catch (error) {
      connection.close(asRequestError(error, connection.endpoint.name))
      this.#open.delete(connection)
      throw error
    }
  }

  #lateError(connection: Connection): RequestError {
    return asRequestError(new Error('another address was faster'), connection.endpoint.name)
  }
}
