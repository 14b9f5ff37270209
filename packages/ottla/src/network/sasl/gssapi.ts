/** SASL GSSAPI (RFC 4752) over Kerberos 5. */
import { ErrorCode } from '@ottla/protocol'
import { messageOf } from '../../base/unknown-error.ts'
import { KafkaError } from '../../errors.ts'
import type { KerberosClient, KerberosPackage } from './kerberos-package.ts'
import type { SaslExchange, SaslMechanism } from './mechanism.ts'

/** Provides the Kerberos ticket. */
export interface TicketSource {
  /** Resolves when the first attempt to get a ticket has ended, successful or not. */
  ready(): Promise<void>
  close(): void
}

/** Neither integrity nor confidentiality: Kafka supports nothing else, and TLS provides both. */
const NO_LAYER = 1
const OFFER_BYTES = 4

export class GssapiMechanism implements SaslMechanism {
  readonly name = 'GSSAPI'
  readonly #kerberos: KerberosPackage
  readonly #service: string
  readonly #ticket: TicketSource | null

  /** @param service - `sasl.kerberos.service.name` */
  constructor(kerberos: KerberosPackage, service: string, ticket: TicketSource | null) {
    this.#kerberos = kerberos
    this.#service = service
    this.#ticket = ticket
  }

  exchange(host: string): SaslExchange {
    return new GssapiExchange(this.#kerberos, `${this.#service}@${host}`, this.#ticket)
  }

  close(): void {
    this.#ticket?.close()
  }
}

class GssapiExchange implements SaslExchange {
  readonly #kerberos: KerberosPackage
  readonly #service: string
  readonly #ticket: TicketSource | null
  #client: KerberosClient | null = null
  /** context: tokens are exchanged; layer: the broker's offer of security layers comes next; over. */
  #state: 'context' | 'layer' | 'over' = 'context'

  constructor(kerberos: KerberosPackage, service: string, ticket: TicketSource | null) {
    this.#kerberos = kerberos
    this.#service = service
    this.#ticket = ticket
  }

  async start(): Promise<Buffer> {
    await this.#ticket?.ready()
    const token = await this.#step(async () => {
      this.#client = await this.#kerberos.initializeClient(this.#service, {})
      return this.#client.step('')
    })
    return decoded(token)
  }

  async next(challenge: Buffer): Promise<Buffer | null> {
    const client = this.#client
    if (client === null || this.#state === 'over') return null
    const given = challenge.toString('base64')
    if (this.#state === 'context') {
      const token = await this.#step(() => client.step(given))
      if (client.contextComplete) this.#state = 'layer'
      // Even an empty token has to be sent: the broker answers it with its offer.
      return decoded(token)
    }
    this.#state = 'over'
    const offer = decoded(await this.#step(() => client.unwrap(given)))
    if (offer.length < OFFER_BYTES || ((offer[0] ?? 0) & NO_LAYER) === 0) {
      throw failure('the broker requires a security layer, and Kafka supports none')
    }
    // No layer, so no message size limit; and no other user than the ticket's.
    const choice = Buffer.from([NO_LAYER, 0, 0, 0]).toString('base64')
    return decoded(await this.#step(() => client.wrap(choice, { protect: false })))
  }

  async #step(step: () => Promise<string | null>): Promise<string | null> {
    try {
      return await step()
    } catch (error) {
      const why = messageOf(error)
      throw failure(`Kerberos cannot authenticate to ${this.#service}: ${why}`, error)
    }
  }
}

function decoded(token: string | null): Buffer {
  return Buffer.from(token ?? '', 'base64')
}

function failure(why: string, cause?: unknown): KafkaError {
  return new KafkaError(ErrorCode.ERR__AUTHENTICATION, why, { cause })
}
