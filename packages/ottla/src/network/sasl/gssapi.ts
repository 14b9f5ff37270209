/** SASL GSSAPI (RFC 4752) over Kerberos 5. */
import { ErrorCode } from '@ottla/protocol'
import { messageOf } from '../../base/unknown-error.ts'
import { KafkaError } from '../../errors.ts'
import type { KerberosClient, KerberosPackage } from './kerberos-package.ts'
import type { SaslExchange, SaslMechanism } from './mechanism.ts'

/** Whoever sees to it that there is a ticket. */
export interface TicketKeeper {
  /** Resolves when the first try to get one is over, whatever came of it. */
  ready(): Promise<void>
  close(): void
}

/** Neither integrity nor confidentiality: that is what TLS is for, and all that Kafka offers. */
const NO_LAYER = 1
const OFFER_BYTES = 4

export class GssapiMechanism implements SaslMechanism {
  readonly name = 'GSSAPI'
  readonly #kerberos: KerberosPackage
  readonly #service: string
  readonly #ticket: TicketKeeper | null

  /** @param service - `sasl.kerberos.service.name` */
  constructor(kerberos: KerberosPackage, service: string, ticket: TicketKeeper | null) {
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
  readonly #ticket: TicketKeeper | null
  #client: KerberosClient | null = null
  /** context: tokens go to and fro; layer: the broker is to offer security layers; over. */
  #state: 'context' | 'layer' | 'over' = 'context'

  constructor(kerberos: KerberosPackage, service: string, ticket: TicketKeeper | null) {
    this.#kerberos = kerberos
    this.#service = service
    this.#ticket = ticket
  }

  async start(): Promise<Buffer> {
    await this.#ticket?.ready()
    const token = await this.#ask(async () => {
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
      const token = await this.#ask(() => client.step(given))
      if (client.contextComplete) this.#state = 'layer'
      // Even an empty one has to be sent: the broker's offer is the answer to it.
      return decoded(token)
    }
    this.#state = 'over'
    const offer = decoded(await this.#ask(() => client.unwrap(given)))
    if (offer.length < OFFER_BYTES || ((offer[0] ?? 0) & NO_LAYER) === 0) {
      throw failure('the broker wants a security layer, which Kafka has none of')
    }
    // No layer, no message that would have to fit, and whom the ticket names.
    const choice = Buffer.from([NO_LAYER, 0, 0, 0]).toString('base64')
    return decoded(await this.#ask(() => client.wrap(choice, { protect: false })))
  }

  async #ask(step: () => Promise<string | null>): Promise<string | null> {
    try {
      return await step()
    } catch (error) {
      const why = messageOf(error)
      throw failure(`Kerberos has no way to ${this.#service}: ${why}`, error)
    }
  }
}

function decoded(token: string | null): Buffer {
  return Buffer.from(token ?? '', 'base64')
}

function failure(why: string, cause?: unknown): KafkaError {
  return new KafkaError(ErrorCode.ERR__AUTHENTICATION, why, { cause })
}
