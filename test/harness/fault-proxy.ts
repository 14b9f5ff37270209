/** A TCP proxy in front of a broker that injects faults: connections cut within a request or a response, delays. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { closed, opened } from './each-test/open-things.ts'

/** Towards the broker, or towards the client. */
export type Direction = 'requests' | 'answers'

type Condition = 'open' | 'silent' | 'refusing'

interface Cut {
  readonly direction: Direction
  bytesLeft: number
  readonly done: () => void
}

/** Forwards connections to a port of this machine, without faults until one is requested. */
export class FaultProxy {
  readonly #server: Server
  readonly #links = new Set<Link>()
  readonly #delays: Record<Direction, number> = { requests: 0, answers: 0 }
  #condition: Condition = 'open'
  #cut: Cut | null = null

  /** @param target - the port to forward connections to; it need not be open yet */
  static async start(target: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(target)
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject)
      proxy.#server.listen(0, '127.0.0.1', resolve)
    })
    opened(proxy, 'FaultProxy', () => proxy.close())
    return proxy
  }

  private constructor(target: number) {
    this.#server = createServer({ allowHalfOpen: true }, client => {
      if (this.#condition === 'refusing') {
        client.on('error', () => undefined)
        client.resetAndDestroy()
        return
      }
      this.#links.add(new Link(this, client, connect({ port: target, host: '127.0.0.1', allowHalfOpen: true })))
    })
  }

  /** The port to connect to. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port // a TCP server that listens has one
  }

  /** The number of open connections. */
  get connections(): number {
    return this.#links.size
  }

  /** Cuts every connection. */
  cutAll(): void {
    for (const link of [...this.#links]) link.reset()
  }

  /**
   * After this many more bytes over all connections, cuts the connection of the last one. The bytes behind it are lost,
   * most often in the middle of a message. A second call replaces the first.
   * @returns a promise that resolves when the connection is cut
   */
  cutAfter(direction: Direction, bytes: number): Promise<void> {
    return new Promise(done => {
      this.#cut = { direction, bytesLeft: bytes, done }
    })
  }

  /** Delays all bytes by this time, in order; 0 ends the delay. */
  delay(direction: Direction, ms: number): void {
    this.#delays[direction] = ms
  }

  /** Keeps connections open and forwards nothing, until `open`. */
  silence(): void {
    this.#condition = 'silent'
    for (const link of this.#links) link.hold()
  }

  /** Cuts every connection, and every new one, until `open`. */
  refuse(): void {
    this.#condition = 'refusing'
    this.cutAll()
  }

  /** Ends `silence`, `refuse`, `delay` and a pending cut. */
  open(): void {
    this.#condition = 'open'
    this.#cut = null
    this.#delays.requests = 0
    this.#delays.answers = 0
    for (const link of this.#links) link.go()
  }

  close(): Promise<void> {
    this.#cut = null
    this.cutAll()
    closed(this)
    return new Promise(resolve => {
      this.#server.close(() => resolve())
    })
  }

  /** @internal the delay of a chunk from now, ms */
  delayOf(direction: Direction): number {
    return this.#delays[direction]
  }

  /** @internal */
  get isSilent(): boolean {
    return this.#condition === 'silent'
  }

  /** @internal the bytes of a chunk to forward before its connection is cut; null: all of them */
  passes(direction: Direction, bytes: number): number | null {
    const cut = this.#cut
    if (cut === null || cut.direction !== direction) return null
    cut.bytesLeft -= bytes
    if (cut.bytesLeft > 0) return null
    this.#cut = null
    cut.done()
    return bytes + cut.bytesLeft
  }

  /** @internal */
  gone(link: Link): void {
    this.#links.delete(link)
  }
}

/** One connection through the proxy. */
class Link {
  readonly #proxy: FaultProxy
  readonly #client: Socket
  readonly #broker: Socket
  readonly #pipes: readonly Pipe[]
  #isReset = false

  constructor(proxy: FaultProxy, client: Socket, broker: Socket) {
    this.#proxy = proxy
    this.#client = client
    this.#broker = broker
    for (const socket of [client, broker]) {
      socket.setNoDelay(true)
      socket.on('error', () => this.reset())
    }
    const closed = (): void => {
      if (client.destroyed && broker.destroyed) proxy.gone(this)
    }
    client.on('close', closed)
    broker.on('close', closed)
    this.#pipes = [
      new Pipe(proxy, 'requests', client, broker, () => this.reset()),
      new Pipe(proxy, 'answers', broker, client, () => this.reset()),
    ]
  }

  hold(): void {
    for (const pipe of this.#pipes) pipe.hold()
  }

  go(): void {
    for (const pipe of this.#pipes) pipe.go()
  }

  reset(): void {
    if (this.#isReset) return
    this.#isReset = true
    for (const pipe of this.#pipes) pipe.stop()
    reset(this.#client)
    reset(this.#broker)
    this.#proxy.gone(this)
  }
}

// A socket that is not connected yet cannot be reset. One that is shutting down would never close after a reset (libuv
// refuses, Node ignores that), and would keep the process alive.
function reset(socket: Socket): void {
  if (socket.connecting || socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}

/** One direction of a connection: forwards chunks in order, each when it is due. Null is the end. */
class Pipe {
  readonly #proxy: FaultProxy
  readonly #direction: Direction
  readonly #from: Socket
  readonly #to: Socket
  readonly #cut: () => void
  readonly #held: { readonly chunk: Buffer | null; readonly at: number }[] = []
  #timer: NodeJS.Timeout | null = null
  #isStopped = false

  constructor(proxy: FaultProxy, direction: Direction, from: Socket, to: Socket, cut: () => void) {
    this.#proxy = proxy
    this.#direction = direction
    this.#from = from
    this.#to = to
    this.#cut = cut
    from.on('data', (chunk: Buffer) => this.#take(chunk))
    from.on('end', () => this.#take(null))
    to.on('drain', () => this.#resume())
    if (proxy.isSilent) this.hold()
  }

  hold(): void {
    this.#from.pause()
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  go(): void {
    this.#resume()
    this.#flush()
  }

  stop(): void {
    this.hold()
    this.#isStopped = true
    this.#held.length = 0
  }

  #take(chunk: Buffer | null): void {
    if (this.#isStopped) return
    const delay = this.#proxy.delayOf(this.#direction)
    if (delay === 0 && this.#held.length === 0 && !this.#proxy.isSilent) {
      this.#pass(chunk)
      return
    }
    // Not before the previous chunk.
    const at = Math.max(Date.now() + delay, this.#held.at(-1)?.at ?? 0)
    this.#held.push({ chunk, at })
    this.#flush()
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const now = Date.now()
    for (let first = this.#held[0]; first !== undefined && !this.#proxy.isSilent; first = this.#held[0]) {
      if (first.at > now && this.#proxy.delayOf(this.#direction) > 0) {
        this.#timer = setTimeout(() => this.#flush(), first.at - now)
        return
      }
      this.#held.shift()
      this.#pass(first.chunk)
    }
  }

  #pass(chunk: Buffer | null): void {
    if (this.#to.destroyed) return
    if (chunk === null) {
      this.#to.end()
      return
    }
    const passing = this.#proxy.passes(this.#direction, chunk.length)
    if (passing === null) {
      if (!this.#to.write(chunk)) this.#from.pause()
      return
    }
    // The other side should get these bytes before the reset.
    this.stop()
    this.#to.write(chunk.subarray(0, passing), () => this.#cut())
  }

  #resume(): void {
    if (!this.#isStopped && !this.#proxy.isSilent) this.#from.resume()
  }
}
