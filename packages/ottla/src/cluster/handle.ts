import type { ClientContext } from './context.ts'
import type { Cluster } from './cluster.ts'

/** Where clients keep what an AdminClient made `from` them shares. */
export const clientHandle: unique symbol = Symbol('ottla.clientHandle')

/** @internal */
export interface ClientHandle {
  readonly context: ClientContext
  readonly cluster: Cluster
}
