import type { Clock } from '../base/clock.ts'
import type { Network } from '../base/network.ts'
import type { Faults } from '../control/faults.ts'
import type { PausedBrokers } from '../control/paused-brokers.ts'
import type { Observers } from '../control/observers.ts'
import type { Route } from '../handlers/request.ts'
import type { Stores } from '../handlers/stores.ts'

/** How long a connection may be idle, by which clock. */
export interface IdleLimit {
  readonly clock: Clock
  readonly maxMs: number
}

/** What the connections of all brokers share. */
export interface ServerContext {
  readonly routes: ReadonlyMap<number, Route>
  readonly stores: Stores
  readonly faults: Faults
  readonly observers: Observers
  readonly pausedBrokers: PausedBrokers
  readonly networkOf: (brokerId: number) => Network
  readonly idle: IdleLimit
  /** Listeners and connections keep no process alive. */
  readonly isBackground: boolean
  /** Memory reserved for incomplete requests. */
  readonly reserved: { bytes: number }
  /** Called when a handler fails, which is a bug of the cluster. */
  readonly onInternalError: (error: unknown) => void
}
