/** What an admin client has beside its calls: connections, events, an end. */
import { AuthenticatedClient } from '../cluster/authenticated-client.ts'
import { clientHandle, type ClientHandle } from '../cluster/handle.ts'
import { clientInsight, type ClientInsight } from '../cluster/insight.ts'
import type { AdminCall, AdminOptions } from './call.ts'
import type { AdminEvent, AdminListener } from './events.ts'
import type { AdminSession } from './session.ts'

/**
 * The connections of an admin client.
 * @since 0.1.0
 */
export abstract class ConnectedAdmin extends AuthenticatedClient implements AsyncDisposable {
  readonly #session: AdminSession

  /** @internal */
  constructor(session: AdminSession) {
    super()
    this.#session = session
  }

  /** @internal another admin client may share this one's connections */
  get [clientHandle](): ClientHandle {
    return this.#session
  }

  /** @internal */
  get [clientInsight](): ClientInsight {
    return this.#session.insight
  }

  /** Calls `listener` for every event of the type, a shared client's included. A listener that throws is logged. */
  on<T extends AdminEvent['type']>(type: T, listener: AdminListener<T>): this {
    this.#session.context.events.on(type, listener)
    return this
  }

  /** Removes a listener that `on` added. */
  off<T extends AdminEvent['type']>(type: T, listener: AdminListener<T>): this {
    this.#session.context.events.off(type, listener)
    return this
  }

  get closed(): boolean {
    return this.#session.closed
  }

  /** Closes the connections, unless they are another client's. Pending calls reject with ERR__DESTROY. */
  close(): Promise<void> {
    this.#session.close()
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal */
  protected run<T>(name: string, options: AdminOptions | undefined, work: (call: AdminCall) => Promise<T>): Promise<T> {
    return this.#session.run(name, options, work)
  }
}
