/** A network inside the process: a seed decides about delays, chunks and cuts. */
import { EventEmitter } from 'node:events'
import type { Timer } from '../base/clock.ts'
import type { NetworkServer, NetworkSocket } from '../base/network.ts'
import type { Dice } from './dice.ts'
import { quickLink, type Link } from './link.ts'
import { MemorySocket, type Address, type Wire } from './memory-socket.ts'
import type { VirtualTime } from './virtual-time.ts'

/**
 * What becomes of what one host sends to another: it arrives, it is kept until the way is open again, or connections
 * are refused.
 * @since 0.1.0
 */
export type Way = 'open' | 'black-hole' | 'refused'

// After so long, TCP sends the packet that opens a connection again; ms.
const CONNECT_AGAIN_MS = 1000
const FIRST_SERVER_PORT = 20_000
const FIRST_CLIENT_PORT = 40_000

/**
 * What is told of everything that happens to connections, at the moment at which it happens. Both ends of a connection
 * have its number.
 * @since 0.1.0
 */
export interface NetworkObserver {
  /** A host sends something. */
  onSent?(from: string, to: string, connection: number, data: Buffer): void
  /** A chunk arrives at `to`. */
  onArrival?(from: string, to: string, connection: number, data: Buffer): void
  /** The end at `host` is closed: it sends and takes nothing any more. */
  onClosed?(host: string, peer: string, connection: number): void
}

/**
 * Hosts, connections and what goes wrong between them. Hosts are known by their names.
 * @since 0.1.0
 */
export class MemoryNetwork {
  readonly #time: VirtualTime
  readonly #dice: Dice
  readonly #wire: Wire
  readonly #servers = new Map<string, MemoryServer>()
  readonly #ways = new Map<string, Way>()
  readonly #links = new Map<string, Link>()
  readonly #sockets = new Set<MemorySocket>()
  readonly #addresses = new Map<string, readonly string[]>()
  readonly #lost = new Set<string>()
  #serverPort = FIRST_SERVER_PORT
  #clientPort = FIRST_CLIENT_PORT
  #connections = 0
  readonly #observers = new Set<NetworkObserver>()

  /** @internal */
  constructor(time: VirtualTime, dice: Dice) {
    this.#time = time
    this.#dice = dice
    this.#wire = this.#makeWire()
  }

  /** The network as one host has it: to be passed to a client. */
  host(name: string): HostNetwork {
    return new HostNetwork(this, name)
  }

  /** The ends of connections that are open, or have sent what is still on its way: `#3 orders > broker-1 (open)`. */
  get connections(): string[] {
    return [...this.#sockets].map(socket => {
      const state = socket.destroyed ? 'closed, something is on its way' : 'open'
      return `#${socket.connection} ${socket.host} > ${socket.peerHost} (${state})`
    })
  }

  /** Has an observer told of everything. @returns a function that ends this */
  observe(observer: NetworkObserver): () => void {
    this.#observers.add(observer)
    return () => void this.#observers.delete(observer)
  }

  /** What a name resolves to from now on; a name without an entry is its own address. */
  setAddresses(name: string, addresses: readonly string[]): void {
    this.#addresses.set(name, addresses)
  }

  /** What becomes of what `from` sends to `to`; the way back is another. */
  setWay(from: string, to: string, way: Way): void {
    this.#ways.set(wayKey(from, to), way)
    if (way !== 'open') return
    for (const socket of [...this.#sockets]) if (socket.host === from && socket.peerHost === to) socket.wayOpened()
  }

  /** How fast what `from` sends reaches `to`, the rest as by default; null: all as by default. */
  setLink(from: string, to: string, link: Partial<Link> | null): void {
    if (link === null) this.#links.delete(wayKey(from, to))
    else this.#links.set(wayKey(from, to), { ...quickLink, ...link })
  }

  /** All ways are open, all links quick, and no connection is about to be cut. */
  heal(): void {
    this.#ways.clear()
    this.#links.clear()
    for (const socket of [...this.#sockets]) {
      socket.cutAfter(Infinity)
      socket.wayOpened()
    }
  }

  /** Cuts the connections of a host, or those to one other: both ends get a reset. @returns how many */
  cut(host: string, peer?: string): number {
    const meant = this.#socketsOf(host, peer)
    for (const socket of meant) socket.reset()
    return meant.length
  }

  /** Cuts connections in the middle of what `host` sends, after so many more bytes. @returns how many */
  cutAfter(bytes: number, host: string, peer?: string): number {
    const meant = this.#socketsOf(host, peer)
    for (const socket of meant) socket.cutAfter(bytes)
    return meant.length
  }

  /** The host loses its connections, and nobody tells the other ends. @returns how many */
  vanish(host: string): number {
    const meant = this.#socketsOf(host)
    for (const socket of meant) socket.vanish()
    return meant.length
  }

  /** As `vanish`, and for good: whatever is healed later, the host reaches nobody any more. @returns how many */
  lose(host: string): number {
    this.#lost.add(host)
    return this.vanish(host)
  }

  /** @internal */
  resolve(name: string, callback: (error: null, addresses: { address: string; family: number }[]) => void): void {
    this.#time.setTimer(this.#delay(), () => {
      const addresses = this.#addresses.get(name) ?? [name]
      callback(
        null,
        addresses.map(address => ({ address, family: 4 })),
      )
    })
  }

  /** @internal */
  bind(server: MemoryServer, host: string, port: number): Address {
    const at = { host, port: port === 0 ? ++this.#serverPort : port }
    const key = addressKey(at)
    if (this.#servers.has(key)) {
      throw Object.assign(new Error(`listen EADDRINUSE: address already in use ${key}`), { code: 'EADDRINUSE' })
    }
    this.#servers.set(key, server)
    return at
  }

  /** @internal */
  unbind(at: Address): void {
    this.#servers.delete(addressKey(at))
  }

  /** @internal */
  connect(from: string, to: Address): MemorySocket {
    const own = { host: from, port: ++this.#clientPort }
    const number = ++this.#connections
    const peerHost = this.#servers.get(addressKey(to))?.hostName ?? to.host
    const socket = new MemorySocket(this.#wire, number, from, peerHost, to)
    const attempt = (): void => {
      if (socket.destroyed) return
      if (this.#isBlackHole(from, peerHost) || this.#isBlackHole(peerHost, from)) {
        this.#time.setTimer(CONNECT_AGAIN_MS, attempt)
        return
      }
      const server = this.#servers.get(addressKey(to))
      const isRefused = this.#lost.has(from) || this.#ways.get(wayKey(from, peerHost)) === 'refused'
      if (server === undefined || isRefused) {
        const error = new Error(`connect ECONNREFUSED ${addressKey(to)}`)
        socket.destroy(Object.assign(error, { code: 'ECONNREFUSED' }))
        return
      }
      const accepted = new MemorySocket(this.#wire, number, peerHost, from, own)
      socket.join(accepted)
      accepted.join(socket)
      for (const each of [socket, accepted]) {
        this.#sockets.add(each)
        each.once('close', () => this.#forget(each))
      }
      server.accept(accepted)
      socket.emit('connect')
    }
    this.#time.setTimer(this.#delay() * 2, attempt)
    return socket
  }

  #delay(): number {
    return quickLink.latencyMs + this.#dice.next() * quickLink.jitterMs
  }

  #isBlackHole(from: string, to: string): boolean {
    return this.#ways.size > 0 && this.#ways.get(wayKey(from, to)) === 'black-hole'
  }

  #socketsOf(host: string, peer?: string): MemorySocket[] {
    return [...this.#sockets].filter(
      socket => socket.host === host && !socket.destroyed && (peer === undefined || socket.peerHost === peer),
    )
  }

  #forget(socket: MemorySocket): void {
    if (socket.destroyed && socket.isSent) this.#sockets.delete(socket)
  }

  #makeWire(): Wire {
    const time = this.#time
    return {
      get now() {
        return time.now
      },
      random: this.#dice.next,
      setTimer: (ms, callback): Timer => time.setTimer(ms, callback),
      link: (from, to) => (this.#links.size === 0 ? quickLink : (this.#links.get(wayKey(from, to)) ?? quickLink)),
      isBlackHole: (from, to) => this.#isBlackHole(from, to),
      forget: socket => this.#forget(socket),
      onSent: ({ host, peerHost, connection }, data) => {
        for (const observer of this.#observers) observer.onSent?.(host, peerHost, connection, data)
      },
      onArrival: ({ host, peerHost, connection }, data) => {
        for (const observer of this.#observers) observer.onArrival?.(host, peerHost, connection, data)
      },
      onClosed: ({ host, peerHost, connection }) => {
        for (const observer of this.#observers) observer.onClosed?.(host, peerHost, connection)
      },
    }
  }
}

/**
 * The network as one host has it; clients and brokers take it in place of the machine's.
 * @since 0.1.0
 */
export class HostNetwork {
  readonly #network: MemoryNetwork
  readonly #name: string

  /** @internal */
  constructor(network: MemoryNetwork, name: string) {
    this.#network = network
    this.#name = name
  }

  /** Opens a connection: the socket emits `connect`, or `error` and `close`. */
  connect({ host, port }: { readonly host: string; readonly port: number }): MemorySocket {
    return this.#network.connect(this.#name, { host, port })
  }

  /** All addresses of a name. */
  lookup(
    name: string,
    _options: object,
    callback: (error: Error | null, addresses: { address: string; family: number }[]) => void,
  ): void {
    this.#network.resolve(name, callback)
  }

  createServer(onSocket: (socket: NetworkSocket) => void): NetworkServer {
    return new MemoryServer(this.#network, this.#name, onSocket)
  }
}

class MemoryServer extends EventEmitter implements NetworkServer {
  readonly #network: MemoryNetwork
  readonly #onSocket: (socket: NetworkSocket) => void
  readonly hostName: string
  #at: Address | null = null

  constructor(network: MemoryNetwork, hostName: string, onSocket: (socket: NetworkSocket) => void) {
    super()
    this.#network = network
    this.hostName = hostName
    this.#onSocket = onSocket
  }

  listen(port: number, host: string, onListening: () => void): void {
    this.#at = this.#network.bind(this, host, port)
    queueMicrotask(onListening)
  }

  close(onClosed?: () => void): void {
    if (this.#at !== null) this.#network.unbind(this.#at)
    this.#at = null
    if (onClosed !== undefined) queueMicrotask(onClosed)
  }

  address(): Address | null {
    return this.#at
  }

  accept(socket: MemorySocket): void {
    this.emit('connection', socket)
    this.#onSocket(socket)
  }
}

function wayKey(from: string, to: string): string {
  return `${from} ${to}`
}

function addressKey({ host, port }: Address): string {
  return `${host}:${port}`
}
