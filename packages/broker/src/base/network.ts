/** Where connections come from. Passed in, so that a simulation can have a network of its own. */
import { createServer } from 'node:net'
import type { Duplex } from 'node:stream'

/**
 * One end of a connection.
 * @since 0.1.0
 */
export interface NetworkSocket extends Duplex {
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  setNoDelay(on?: boolean): unknown
  /** Closes once what has been written is sent. */
  destroySoon(): void
  /** It keeps no process alive any more. */
  unref?(): unknown
}

/**
 * Accepts connections on one port.
 * @since 0.1.0
 */
export interface NetworkServer {
  listen(port: number, host: string, onListening: () => void): unknown
  /** Accepts no more; `onClosed` is called when the last connection has ended. */
  close(onClosed?: () => void): unknown
  address(): { readonly port: number } | string | null
  once(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'connection', listener: (socket: NetworkSocket) => void): unknown
  off(event: 'error', listener: (error: Error) => void): unknown
  /** It keeps no process alive any more. */
  unref?(): unknown
}

/**
 * What listeners need of a network.
 * @since 0.1.0
 */
export interface Network {
  createServer(onSocket: (socket: NetworkSocket) => void): NetworkServer
}

/** The machine's own. */
export const systemNetwork: Network = { createServer }
