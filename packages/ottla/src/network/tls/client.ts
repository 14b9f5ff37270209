import type { X509Certificate } from 'node:crypto'
import { isIP, type OnReadOpts, type Socket } from 'node:net'
import type * as Tls from 'node:tls'
import { ErrorCode } from '@ottla/protocol'
import { messageOf } from '../../base/unknown-error.ts'
import { KafkaError } from '../../errors.ts'
import type { TlsCredentials } from './credentials.ts'
import { aboutOwn, explain, isTlsError } from './failures.ts'
import type { ReadyContext } from './secure-context.ts'
import type { VerifyCertificate } from './verify.ts'

/** The TLS settings that all connections of a client share. */
export interface TlsSettings {
  readonly credentials: TlsCredentials
  /** `enable.ssl.certificate.verification` */
  readonly verifyPeer: boolean
  /** `ssl.endpoint.identification.algorithm=https` */
  readonly verifyName: boolean
  /** The application's own check, or null. */
  readonly verify: VerifyCertificate | null
}

interface Target {
  readonly host: string
  readonly port: number
  readonly onread?: OnReadOpts
}

// Loaded on first use: it would take a third of the start of a client that does not need it.
const tls = (): typeof Tls => process.getBuiltinModule('node:tls')

/** The TLS part of one connection; used once. */
export class TlsClient {
  readonly #settings: TlsSettings
  readonly #ready: ReadyContext
  readonly #host: string
  readonly #port: number
  #socket: Tls.TLSSocket | null = null
  #peer: X509Certificate | null = null
  #nameError: Error | null = null
  #isConnected = false

  private constructor(settings: TlsSettings, ready: ReadyContext, host: string, port: number) {
    this.#settings = settings
    this.#ready = ready
    this.#host = host
    this.#port = port
  }

  /** Reads certificates and keys. Rejects with KafkaError ERR__SSL that names the faulty property. */
  static async prepare(settings: TlsSettings, host: string, port: number): Promise<TlsClient> {
    return new TlsClient(settings, await settings.credentials.current(), host, port)
  }

  /** Whether the TCP connection was established. */
  get isConnected(): boolean {
    return this.#isConnected
  }

  connect(target: Target): Socket {
    const { verifyPeer, verifyName, verify } = this.#settings
    const socket = tls().connect({
      ...target,
      secureContext: this.#ready.context,
      // The application's function judges failed certificates, too, so they must not end the connection.
      rejectUnauthorized: verifyPeer && verify === null,
      // An IP address is not allowed as the server name of SNI (RFC 6066).
      ...(isIP(this.#host) === 0 ? { servername: this.#host } : {}),
      checkServerIdentity: (host, certificate) => {
        // Undefined accepts any name on the certificate.
        if (!verifyName) return undefined
        const error = tls().checkServerIdentity(host, certificate)
        this.#nameError = error ?? null
        return error
      },
    })
    this.#socket = socket
    socket.once('connect', () => {
      this.#isConnected = true
    })
    // Runs before the check that may end the connection, after which the certificate is no longer available.
    socket.prependOnceListener('secure', () => {
      this.#peer = chainOf(socket)[0] ?? null
    })
    return socket
  }

  /** Calls `onOpen` once the broker's certificate is accepted, `refuse` if the application's function rejects it. */
  onSecure(onOpen: () => void, refuse: (error: Error) => void): void {
    const { verify } = this.#settings
    const socket = this.#socket
    if (socket === null) throw new Error('connect() comes first')
    socket.once('secureConnect', () => {
      if (verify === null) {
        onOpen()
        return
      }
      this.#verify(socket, verify).then(isAccepted => {
        if (isAccepted) onOpen()
        else refuse(new Refused('verifyCertificate does not accept it'))
      }, refuse)
    })
  }

  /** Why TLS ended the connection; null if something below it did. */
  explain(error: Error, now: number): string | null {
    if (error instanceof Refused) return `${this.#certificate()}: ${error.message}`
    if (!this.#isConnected || !isTlsError(error)) return null
    return explain(error, { host: this.#host, ready: this.#ready, peer: this.#peer, now })
  }

  /** What it may mean if the broker hangs up after the handshake without an answer. */
  unansweredHint(now: number): string {
    return `right after the TLS handshake; perhaps ${aboutOwn({ ready: this.#ready, now })}`
  }

  async #verify(socket: Tls.TLSSocket, verify: VerifyCertificate): Promise<boolean> {
    const [certificate, ...issuers] = chainOf(socket)
    if (certificate === undefined) throw new Refused('the broker presented none')
    try {
      const isAccepted: unknown = await verify({
        host: this.#host,
        port: this.#port,
        certificate,
        issuers,
        error: socket.authorized ? null : this.#checkError(socket),
      })
      return isAccepted === true
    } catch (cause) {
      const why = messageOf(cause)
      throw new Refused(`verifyCertificate threw: ${why}`, { cause })
    }
  }

  #checkError(socket: Tls.TLSSocket): KafkaError {
    // node:tls keeps only the code, whatever its type says.
    const code = String(socket.authorizationError)
    const reason = this.#nameError ?? Object.assign(new Error(code), { code })
    const attempt = { host: this.#host, ready: this.#ready, peer: this.#peer, now: 0 }
    return new KafkaError(ErrorCode.ERR__SSL, explain(reason, attempt), { cause: reason })
  }

  #certificate(): string {
    const subject = this.#peer?.subject.trim().split('\n').join(', ')
    return subject === undefined ? "the broker's certificate" : `the broker's certificate (${subject})`
  }
}

// Not getPeerX509Certificate(): on Node.js 20 a certificate that it has returned is gone for every later call.
function chainOf(socket: Tls.TLSSocket): X509Certificate[] {
  const { X509Certificate } = process.getBuiltinModule('node:crypto')
  const chain: X509Certificate[] = []
  // Without a certificate, this is an empty object, whatever its type says.
  let next: Partial<Tls.DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true)
  while (next?.raw !== undefined) {
    chain.push(new X509Certificate(next.raw))
    // The last one is its own issuer.
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate
  }
  return chain
}

class Refused extends Error {}
