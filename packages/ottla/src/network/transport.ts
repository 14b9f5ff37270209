import type { LookupAddress } from 'node:dns'
import { isIP, type OnReadOpts } from 'node:net'
import { ErrorCode } from '@ottla/protocol'
import { onAbort } from '../base/abort.ts'
import { hostPort } from '../base/host-port.ts'
import { systemNetwork, type Network, type NetworkSocket } from './network.ts'
import type { WireRecorder } from './recording/recorder.ts'
import { WrongProtocolError, RequestError } from './request-error.ts'
import { TlsClient, type TlsSettings } from './tls/client.ts'

/** How sockets are opened; made once per client from the settings. */
export interface TransportSettings {
  readonly network: Network
  /** Null unless what goes over the wire is recorded. */
  readonly recorder: WireRecorder | null
  /** null for plain TCP. */
  readonly tls: TlsSettings | null
  /** `broker.address.family`: 0 any, 4, 6. */
  readonly family: 0 | 4 | 6
  /** `client.dns.lookup=use_all_dns_ips`: tries every address of a name in turn. */
  readonly useAllAddresses: boolean
  readonly keepAlive: boolean
  readonly noDelay: boolean
}

export interface TransportHandlers {
  /** The memory for the next bytes from the socket; never empty. */
  target(): Buffer
  /** This many bytes were read into `target`. */
  onRead(count: number): void
  /** Bytes from a socket that cannot read into `target`. */
  onData(chunk: Buffer): void
  /** @param hint what it may mean if the broker has not answered anything yet */
  onClose(error: RequestError, hint: string): void
}

const UNANSWERED_HINT = 'before it had answered; does the port speak TLS (security.protocol=ssl or sasl_ssl)?'

const TLS_HINT =
  'in the TLS handshake; does the port speak TLS? If not, security.protocol has to be plaintext or sasl_plaintext'

// Other runtimes ignore the option `onread`, or do not know it.
const READS_INTO_MEMORY = !('bun' in process.versions) && !('deno' in process.versions)

/** The addresses of a broker's host name; each attempt gets the next one. */
export class AddressBook {
  readonly #host: string
  readonly #settings: TransportSettings
  #addresses: LookupAddress[] = []
  #next = 0

  constructor(host: string, settings: TransportSettings) {
    this.#host = host
    this.#settings = settings
  }

  /** Whether there are addresses left that were not tried since the name was resolved. */
  get hasMore(): boolean {
    return this.#next < this.#addresses.length
  }

  /** The next address to try; resolves the name again once all have been tried. */
  async next(): Promise<LookupAddress> {
    const literal = isIP(this.#host)
    if (literal !== 0) return { address: this.#host, family: literal }
    if (this.#next >= this.#addresses.length) {
      this.#addresses = await this.#resolve()
      this.#next = 0
    }
    const address = this.#addresses[this.#next++]
    if (address === undefined) throw resolveError(this.#host, new Error('the name has no address'))
    return address
  }

  #resolve(): Promise<LookupAddress[]> {
    const { network, recorder, family } = this.#settings
    return new Promise((resolve, reject) => {
      network.lookup(this.#host, { all: true, family }, (error, addresses) => {
        const found = (): string[] => (error === null ? addresses.map(({ address }) => address) : [])
        recorder?.resolved(this.#host, found(), error?.message)
        if (error !== null) reject(resolveError(this.#host, error))
        else resolve(this.#settings.useAllAddresses ? addresses : addresses.slice(0, 1))
      })
    })
  }
}

function resolveError(host: string, cause: Error): RequestError {
  return new RequestError(
    ErrorCode.ERR__RESOLVE,
    `cannot resolve the host name ${host}: ${cause.message}`,
    false,
    cause,
  )
}

/** One open socket. Writes of one tick are sent together. */
export class Transport {
  readonly #socket: NetworkSocket
  #corked = false

  private constructor(socket: NetworkSocket) {
    this.#socket = socket
  }

  /**
   * Opens a socket to `address`; TLS checks the certificate against `serverName`.
   * Rejects with ERR__TRANSPORT or ERR__SSL; an aborted signal destroys the half-open socket.
   */
  static async open(
    address: LookupAddress,
    port: number,
    serverName: string,
    settings: TransportSettings,
    handlers: TransportHandlers,
    signal: AbortSignal,
  ): Promise<Transport> {
    // Before there is a socket: a faulty file is not a network failure.
    const tls = settings.tls === null ? null : await TlsClient.prepare(settings.tls, serverName, port)
    return new Promise((resolve, reject) => {
      const where = hostPort(serverName, port)
      const { network } = settings
      const readsIntoMemory = READS_INTO_MEMORY && network === systemNetwork
      const reading = readsIntoMemory ? { onread: readInto(handlers) } : {}
      const to = { host: address.address, port, ...reading }
      const socket = tls === null ? network.connect(to) : tls.connect(to)
      socket.setNoDelay(settings.noDelay)
      if (settings.keepAlive) socket.setKeepAlive(true)
      let opened = false
      let failure: Error | null = null
      const giveUp = (error: Error): void => {
        failure ??= error
        socket.destroy()
      }
      const onGivenUp = (): void => giveUp(new Error('given up'))
      const stopListening = onAbort(signal, onGivenUp)
      const onOpen = (): void => {
        if (socket.destroyed) return
        opened = true
        stopListening()
        resolve(new Transport(socket))
      }
      if (tls === null) socket.once('connect', onOpen)
      else tls.onSecure(onOpen, giveUp)
      if (!readsIntoMemory) socket.on('data', (chunk: Buffer) => handlers.onData(chunk))
      // A broker never half-closes: its FIN means that nothing more will come.
      socket.on('end', () => socket.destroy())
      socket.on('error', (error: Error) => {
        failure ??= error
      })
      socket.on('close', () => {
        stopListening()
        const now = Date.now()
        const refused = failure === null ? null : (tls?.explain(failure, now) ?? null)
        const reason = refused === null ? null : sslError(where, refused, opened, failure)
        if (opened) handlers.onClose(reason ?? lostError(where, failure), tls?.unansweredHint(now) ?? UNANSWERED_HINT)
        else reject(reason ?? connectError(where, failure, tls))
      })
      if (signal.aborted) onGivenUp()
    })
  }

  /** Queues chunks in order; calls `onFlushed` once the operating system has the last one. */
  write(chunks: readonly Uint8Array[], onFlushed?: (error?: Error | null) => void): void {
    if (chunks.length === 1) {
      this.#socket.write(chunks[0], onFlushed)
      return
    }
    if (!this.#corked) {
      this.#corked = true
      this.#socket.cork()
      process.nextTick(() => {
        this.#corked = false
        this.#socket.uncork()
      })
    }
    const last = chunks.length - 1
    for (let i = 0; i < last; i++) this.#socket.write(chunks[i])
    this.#socket.write(chunks[last], onFlushed)
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

function readInto(handlers: TransportHandlers): OnReadOpts {
  return {
    buffer: () => handlers.target(),
    callback: count => {
      handlers.onRead(count)
      return true
    },
  }
}

function lostError(where: string, cause: Error | null): RequestError {
  const why = cause === null ? 'the broker closed the connection' : cause.message
  return new RequestError(ErrorCode.ERR__TRANSPORT, `connection to ${where} lost: ${why}`, true, cause ?? undefined)
}

function sslError(where: string, why: string, sent: boolean, cause: Error | null): RequestError {
  return new RequestError(ErrorCode.ERR__SSL, `TLS with ${where} failed: ${why}`, sent, cause ?? undefined)
}

function connectError(where: string, cause: Error | null, tls: TlsClient | null): RequestError {
  const isClosed = cause === null || (tls?.isConnected === true && 'code' in cause && cause.code === 'ECONNRESET')
  const why = isClosed ? 'the broker closed the connection' : cause.message
  const message = `cannot connect to ${where}: ${why}`
  if (!isClosed || tls?.isConnected !== true) {
    return new RequestError(ErrorCode.ERR__TRANSPORT, message, false, cause ?? undefined)
  }
  // The TCP connection was up: a broker that does not speak TLS takes the handshake for garbage and hangs up.
  return new WrongProtocolError(ErrorCode.ERR__TRANSPORT, `${message} ${TLS_HINT}`, false, cause ?? undefined)
}
