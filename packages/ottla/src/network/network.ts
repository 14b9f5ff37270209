/** Where sockets and addresses come from. Passed in, so that a simulation can have a network of its own. */
import { lookup, type LookupAddress } from 'node:dns'
import { connect, type OnReadOpts } from 'node:net'
import type { Duplex } from 'node:stream'

/**
 * An open or opening connection: `connect` is emitted once it is open.
 * @since 0.1.0
 */
export interface NetworkSocket extends Duplex {
  setNoDelay(on?: boolean): unknown
  setKeepAlive(on?: boolean): unknown
}

/**
 * What a client needs of a network; the default is the machine's. TLS and requests for OAUTHBEARER tokens always use that.
 * @since 0.1.0
 */
export interface Network {
  /** @param to `onread` is for the machine's network only; others are given none, and emit `data` events */
  connect(to: { readonly host: string; readonly port: number; readonly onread?: OnReadOpts }): NetworkSocket
  /** All addresses of a host name. */
  lookup(
    name: string,
    options: { readonly all: true; readonly family: 0 | 4 | 6 },
    callback: (error: Error | null, addresses: LookupAddress[]) => void,
  ): void
}

/** The machine's own. */
export const systemNetwork: Network = { connect, lookup }
