/** Closes clients in order when the process is told to end. */
import { Deadline, systemClock } from './base/clock.ts'
import { clientHandle } from './cluster/handle.ts'
import type { AuthenticatedClient } from './cluster/authenticated-client.ts'
import { invalidArgument } from './errors.ts'

/**
 * What `closeOnSignal` closes: clients of ottla, or anything with their `close`.
 * @since 0.1.0
 */
export interface Closable {
  close(options?: { readonly timeoutMs?: number }): Promise<unknown>
}

/**
 * Options of `closeOnSignal`.
 * @since 0.1.0
 */
export interface CloseOnSignalOptions {
  /** SIGTERM and SIGINT by default. */
  readonly signals?: readonly NodeJS.Signals[]
  /** For all clients together, ms; 25,000 by default, less than the 30 s that Kubernetes gives a process. */
  readonly timeoutMs?: number
  /** Called first, and awaited: the place to stop taking requests. */
  readonly before?: (signal: NodeJS.Signals) => unknown
  /** Called when all clients are closed, and awaited; the process ends then. */
  readonly after?: (signal: NodeJS.Signals) => unknown
}

const DEFAULT_TIMEOUT_MS = 25_000
const ranks = { consumer: 0, producer: 1, admin: 2 } as const

/**
 * Closes clients when the process gets one of the signals: consumers first, so that running handlers finish and their
 * offsets are committed, then producers, which deliver what they have, then the rest. Then the process ends by the same
 * signal, unless somebody else listens to it. A second signal ends it at once.
 * @returns a function that ends this, for clients that are closed otherwise
 * @throws KafkaError ERR__INVALID_ARG for something without `close`
 * @since 0.1.0
 */
export function closeOnSignal(clients: readonly Closable[], options: CloseOnSignalOptions = {}): () => void {
  for (const client of clients) {
    if (typeof (client as Partial<Closable> | null)?.close !== 'function') {
      throw invalidArgument('closeOnSignal takes a list of clients')
    }
  }
  const { signals = ['SIGTERM', 'SIGINT'] } = options
  const end = (): void => {
    for (const signal of signals) process.off(signal, onSignal)
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    end()
    void closeAll(clients, options, signal).finally(() => {
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
    })
  }
  for (const signal of signals) process.on(signal, onSignal)
  return end
}

async function closeAll(
  clients: readonly Closable[],
  { timeoutMs = DEFAULT_TIMEOUT_MS, before, after }: CloseOnSignalOptions,
  signal: NodeJS.Signals,
): Promise<void> {
  const deadline = Deadline.after(systemClock, timeoutMs)
  await before?.(signal)
  for (const rank of [0, 1, 2]) {
    const leftMs = Math.max(0, Math.ceil(deadline.left()))
    await Promise.allSettled(
      clients.filter(each => rankOf(each) === rank).map(each => each.close({ timeoutMs: leftMs })),
    )
  }
  await after?.(signal)
}

function rankOf(client: Closable): number {
  const handle = (client as Partial<AuthenticatedClient>)[clientHandle]
  return handle === undefined ? ranks.admin : ranks[handle.context.kind]
}
