/** The connections of an admin client: its own, or another client's. */
import { ErrorCode } from '@ottla/protocol'
import { rejectLater } from '../base/turn.ts'
import { Cluster } from '../cluster/cluster.ts'
import { createContext, type ClientContext, type ClientOptions } from '../cluster/context.ts'
import type { ClientHandle } from '../cluster/handle.ts'
import { checkedOptions } from '../config/constructor-options.ts'
import { resolveConfig, type AdminConfig } from '../config/resolve.ts'
import { KafkaError } from '../errors.ts'
import { startCall, type AdminCall, type AdminOptions } from './call.ts'

/** Runs the calls of one admin client until it is closed. */
export class AdminSession {
  readonly context: ClientContext
  readonly cluster: Cluster
  readonly #owned: boolean
  #closed = false

  /** @param owned - whether the session closes the connections */
  constructor({ context, cluster }: ClientHandle, owned: boolean) {
    this.context = context
    this.cluster = cluster
    this.#owned = owned
  }

  get closed(): boolean {
    return this.#closed
  }

  async run<T>(options: AdminOptions | undefined, work: (call: AdminCall) => Promise<T>): Promise<T> {
    if (this.#closed) {
      return rejectLater(new KafkaError(ErrorCode.ERR__STATE, `the admin client ${this.context.name} is closed`))
    }
    return work(startCall(this.context, this.cluster, options ?? {}))
  }

  close(): void {
    if (!this.#closed && this.#owned) this.cluster.close()
    this.#closed = true
  }
}

/** Passes a client's handle to another one's constructor without showing it in the public signature. */
const sharedHandles = new WeakMap<AdminConfig, ClientHandle>()

/** A configuration that represents the connections of another client. */
export function configSharing(handle: ClientHandle): AdminConfig {
  const config: AdminConfig = { 'bootstrap.servers': [] } // those of the handle
  sharedHandles.set(config, handle)
  return config
}

/** @throws KafkaError ERR__INVALID_ARG for a configuration that cannot work */
export function openSession(config: AdminConfig, options: ClientOptions): AdminSession {
  const shared = sharedHandles.get(config)
  return new AdminSession(shared ?? connect(config, options), shared === undefined)
}

function connect(config: AdminConfig, options: ClientOptions): ClientHandle {
  const resolved = resolveConfig('admin', config)
  const context = createContext('admin', resolved, checkedOptions('AdminClient', options))
  const cluster = new Cluster(context)
  cluster.start()
  return { context, cluster }
}
