/** One end of a connection inside the process. */
import { Duplex } from 'node:stream'
import type { Timer } from '../base/clock.ts'
import type { NetworkSocket } from '../base/network.ts'
import type { Link } from './link.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** What an end needs of the network. */
export interface Wire {
  readonly now: number
  random(): number
  setTimer(ms: number, callback: () => void): Timer
  link(from: string, to: string): Link
  isBlackHole(from: string, to: string): boolean
  /** Nothing of this end is on its way any more, and it is closed. */
  forget(socket: MemorySocket): void
  /** Something sets out for the other end. */
  onSent(from: MemorySocket, data: Buffer): void
  /** A chunk arrives at the other end. */
  onArrival(from: MemorySocket, data: Buffer): void
  /** This end is closed. */
  onClosed(socket: MemorySocket): void
}

/** So many bytes are taken at once, as by the buffers of an operating system. */
const BUFFER_BYTES = 262_144

interface Packet {
  readonly at: number
  /** Null: nothing more comes. */
  readonly data: Buffer | null
  readonly onSent: (() => void) | null
}

/**
 * One end of a connection: what is written arrives at the other end in chunks, later, in order.
 * @since 0.1.0
 */
export class MemorySocket extends Duplex implements NetworkSocket {
  readonly host: string
  readonly peerHost: string
  /** Counts up through all connections; both ends have the same. */
  readonly connection: number
  readonly remoteAddress: string
  readonly remotePort: number
  readonly #wire: Wire
  readonly #packets: Packet[] = []
  readonly #received: (Buffer | null)[] = []
  #peer: MemorySocket | null = null
  #arrivesAt = 0
  #timer: Timer | null = null
  #isWanted = false
  /** Bytes that are on their way. */
  #unsent = 0
  /** Bytes that still arrive before the connection is cut. */
  #bytesToCut = Infinity

  /** @internal */
  constructor(wire: Wire, connection: number, host: string, peerHost: string, remote: Address) {
    // As node:net has it.
    super({ allowHalfOpen: false, emitClose: true })
    this.#wire = wire
    this.connection = connection
    this.host = host
    this.peerHost = peerHost
    this.remoteAddress = remote.host
    this.remotePort = remote.port
  }

  /** @internal connects it to the other end */
  join(peer: MemorySocket): void {
    this.#peer = peer
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  destroySoon(): void {
    if (this.writableFinished) this.destroy()
    else {
      this.once('finish', () => this.destroy())
      this.end()
    }
  }

  /** @internal whether everything that was sent has arrived. */
  get isSent(): boolean {
    return this.#packets.length === 0
  }

  /** @internal both ends get a reset; what is on its way is lost. */
  reset(): void {
    const peer = this.#peer
    this.#leave()
    this.destroy(resetError())
    if (peer === null) return
    peer.#leave()
    peer.destroy(resetError())
  }

  /** @internal cuts the connection once so many more bytes have arrived at the other end; Infinity: does not. */
  cutAfter(bytes: number): void {
    this.#bytesToCut = bytes
  }

  /** @internal it is gone without a word: the other end learns nothing. */
  vanish(): void {
    const peer = this.#peer
    this.#leave()
    if (peer !== null) peer.#peer = null
    this.destroy()
  }

  /** @internal the way to the other end is open again. */
  wayOpened(): void {
    this.#plan()
  }

  override _read(): void {
    this.#isWanted = true
    this.#give()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    // The writer may use its memory again.
    this.#send(Buffer.from(chunk), callback)
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#sendEnd()
    callback()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#wire.onClosed(this)
    // What was on its way still arrives, and after it the end.
    if (this.#peer !== null && !this.#peer.destroyed) this.#sendEnd()
    callback(error)
  }

  #leave(): void {
    this.#peer = null
    this.#packets.length = 0
    this.#unsent = 0
    this.#timer?.cancel()
    this.#timer = null
    this.#wire.forget(this)
  }

  #delay(link: Link): number {
    return link.latencyMs + this.#wire.random() * link.jitterMs
  }

  #sendEnd(): void {
    const link = this.#wire.link(this.host, this.peerHost)
    const at = Math.max(this.#arrivesAt, this.#wire.now + this.#delay(link))
    this.#packets.push({ at, data: null, onSent: null })
    this.#plan()
  }

  #send(data: Buffer, callback: () => void): void {
    const wire = this.#wire
    wire.onSent(this, data)
    const link = wire.link(this.host, this.peerHost)
    this.#unsent += data.length
    const isFull = this.#unsent > BUFFER_BYTES
    let from = 0
    do {
      const size = Math.min(data.length - from, 1 + Math.floor(wire.random() * link.maxChunkBytes))
      const start = Math.max(this.#arrivesAt, wire.now + this.#delay(link))
      this.#arrivesAt = start + size / link.bytesPerMs
      const isLast = from + size >= data.length
      this.#packets.push({
        at: this.#arrivesAt,
        data: data.subarray(from, from + size),
        onSent: isLast && isFull ? callback : null,
      })
      from += size
    } while (from < data.length)
    this.#plan()
    if (!isFull) callback()
  }

  #plan(): void {
    if (this.#timer !== null) return
    const next = this.#packets[0]
    if (next === undefined || this.#wire.isBlackHole(this.host, this.peerHost)) return
    this.#timer = this.#wire.setTimer(next.at - this.#wire.now, () => {
      this.#timer = null
      this.#arrive()
    })
  }

  #arrive(): void {
    const wire = this.#wire
    if (wire.isBlackHole(this.host, this.peerHost)) return
    for (let next = this.#packets[0]; next !== undefined && next.at <= wire.now; next = this.#packets[0]) {
      this.#packets.shift()
      this.#unsent -= next.data?.length ?? 0
      if (next.data !== null && next.data.length >= this.#bytesToCut) {
        const part = next.data.subarray(0, this.#bytesToCut)
        if (part.length > 0) this.#deliver(part)
        this.reset()
        return
      }
      if (next.data === null) this.#peer?.receive(null)
      else {
        this.#bytesToCut -= next.data.length
        this.#deliver(next.data)
      }
      next.onSent?.()
    }
    wire.forget(this)
    this.#plan()
  }

  #deliver(data: Buffer): void {
    const peer = this.#peer
    if (peer === null || peer.destroyed) return
    this.#wire.onArrival(this, data)
    peer.receive(data)
  }

  /** @internal something arrives; null: nothing more comes. */
  receive(data: Buffer | null): void {
    if (this.destroyed) return
    this.#received.push(data)
    if (this.#isWanted) this.#give()
  }

  #give(): void {
    for (let next = this.#received.shift(); next !== undefined; next = this.#received.shift()) {
      if (this.push(next)) continue
      this.#isWanted = false
      return
    }
  }
}

function resetError(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
}
