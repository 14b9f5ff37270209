import type { Clock } from '../base/clock.ts'
import type { Faults } from '../control/faults.ts'
import type { Holds } from '../control/holds.ts'
import type { Observers } from '../control/observers.ts'
import type { Route } from '../handlers/request.ts'
import type { Stores } from '../handlers/stores.ts'

/** How long a connection may be silent, and by whose time. */
export interface IdleLimit {
  readonly clock: Clock
  readonly maxMs: number
}

/** What the connections to all brokers have in common. */
export interface Surroundings {
  readonly routes: ReadonlyMap<number, Route>
  readonly stores: Stores
  readonly faults: Faults
  readonly observers: Observers
  readonly holds: Holds
  readonly idle: IdleLimit
  /** Reserved for requests that are not whole yet. */
  readonly claimed: { bytes: number }
  /** Told of a failure inside a handler, which is a bug of the cluster's. */
  readonly onInternalError: (error: unknown) => void
}
