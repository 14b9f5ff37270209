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

/** How TLS is spoken; one value for all connections of a client. */
export interface TlsSettings {
  readonly credentials: TlsCredentials
  /** `enable.ssl.certificate.verification` */
  readonly verifyPeer: boolean
  /** `ssl.endpoint.identification.algorithm=https` */
  readonly verifyName: boolean
  /** The program's own judgement, or null. */
  readonly verify: VerifyCertificate | null
}

interface Target {
  readonly host: string
  readonly port: number
  readonly onread?: OnReadOpts
}

// A third of the start of a client that does not need it.
const tls = (): typeof Tls => process.getBuiltinModule('node:tls')

/** The TLS part of one connection: used once. */
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

  /** Reads certificates and keys. Rejects with KafkaError ERR__SSL naming the property that is wrong. */
  static async prepare(settings: TlsSettings, host: string, port: number): Promise<TlsClient> {
    return new TlsClient(settings, await settings.credentials.current(), host, port)
  }

  /** Whether the connection below TLS has been there. */
  get isConnected(): boolean {
    return this.#isConnected
  }

  connect(target: Target): Socket {
    const { verifyPeer, verifyName, verify } = this.#settings
    const socket = tls().connect({
      ...target,
      secureContext: this.#ready.context,
      // The program's function is asked about certificates that fail, so that they have to come this far.
      rejectUnauthorized: verifyPeer && verify === null,
      // An IP address is no server name for SNI (RFC 6066).
      ...(isIP(this.#host) === 0 ? { servername: this.#host } : {}),
      checkServerIdentity: (host, certificate) => {
        // Returning nothing means that the name on the certificate does not matter.
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
    // Comes before the check that may end the connection, after which the certificate cannot be had any more.
    socket.prependOnceListener('secure', () => {
      this.#peer = chainOf(socket)[0] ?? null
    })
    return socket
  }

  /** Calls `onOpen` when the broker has been accepted, `refuse` when the program's function does not accept it. */
  onSecure(onOpen: () => void, refuse: (error: Error) => void): void {
    const { verify } = this.#settings
    const socket = this.#socket
    if (socket === null) throw new Error('connect() comes first')
    socket.once('secureConnect', () => {
      if (verify === null) {
        onOpen()
        return
      }
      this.#ask(socket, verify).then(isGood => {
        if (isGood) onOpen()
        else refuse(new Refused('verifyCertificate does not accept it'))
      }, refuse)
    })
  }

  /** What ended the connection, if it was TLS; null if it was something below it. */
  explain(error: Error, now: number): string | null {
    if (error instanceof Refused) return `${this.#certificate()}: ${error.message}`
    if (!this.#isConnected || !isTlsError(error)) return null
    return explain(error, { host: this.#host, ready: this.#ready, peer: this.#peer, now })
  }

  /** What it may mean that the broker hangs up after the handshake without a word. */
  silence(now: number): string {
    return `right after the TLS handshake; perhaps ${aboutOwn({ ready: this.#ready, now })}`
  }

  async #ask(socket: Tls.TLSSocket, verify: VerifyCertificate): Promise<boolean> {
    const [certificate, ...issuers] = chainOf(socket)
    if (certificate === undefined) throw new Refused('the broker has shown none')
    try {
      const isGood: unknown = await verify({
        host: this.#host,
        port: this.#port,
        certificate,
        issuers,
        error: socket.authorized ? null : this.#objection(socket),
      })
      return isGood === true
    } catch (cause) {
      const why = messageOf(cause)
      throw new Refused(`verifyCertificate threw: ${why}`, { cause })
    }
  }

  #objection(socket: Tls.TLSSocket): KafkaError {
    // node:tls keeps the code only, in spite of its type.
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

// Not getPeerX509Certificate(): on Node.js 20 a certificate that was asked for so is gone for every later look at it.
function chainOf(socket: Tls.TLSSocket): X509Certificate[] {
  const { X509Certificate } = process.getBuiltinModule('node:crypto')
  const chain: X509Certificate[] = []
  // Without a certificate it is an empty object, whatever its type says.
  let next: Partial<Tls.DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true)
  while (next?.raw !== undefined) {
    chain.push(new X509Certificate(next.raw))
    // The last one names itself.
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate
  }
  return chain
}

class Refused extends Error {}
