/** One listener per signal, however many wait on it: Node warns of a leak from the eleventh on. */

type Callback = () => void

const waiting = new WeakMap<AbortSignal, Set<Callback>>()

/**
 * Calls `callback` once when the signal is aborted; never for one that is aborted already.
 * @returns a function that ends the wait; harmless afterwards
 */
export function onAbort(signal: AbortSignal | undefined, callback: Callback): () => void {
  if (signal === undefined || signal.aborted) return nothing
  const callbacks = waiting.get(signal) ?? listen(signal)
  // A function of its own: the same callback may wait twice.
  const call = (): void => callback()
  callbacks.add(call)
  return () => {
    callbacks.delete(call)
    if (callbacks.size === 0 && waiting.get(signal) === callbacks) forget(signal)
  }
}

// So that ending a wait can take the listener off: it would keep the signal, and what it holds, alive.
const listeners = new WeakMap<AbortSignal, Callback>()

function listen(signal: AbortSignal): Set<Callback> {
  const callbacks = new Set<Callback>()
  const listener = (): void => {
    forget(signal)
    // One that is ended by another's call is not called any more.
    for (const call of callbacks) call()
  }
  waiting.set(signal, callbacks)
  listeners.set(signal, listener)
  signal.addEventListener('abort', listener, { once: true })
  return callbacks
}

function forget(signal: AbortSignal): void {
  const listener = listeners.get(signal)
  if (listener !== undefined) signal.removeEventListener('abort', listener)
  waiting.delete(signal)
  listeners.delete(signal)
}

const nothing = (): void => undefined
