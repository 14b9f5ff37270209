/** One listener per signal, however many waits share it: Node warns of a leak from the eleventh listener on. */

type Callback = () => void

const waiting = new WeakMap<AbortSignal, Set<Callback>>()

/**
 * Calls `callback` once when the signal aborts; never if it is aborted already.
 * @returns a function that ends the wait; calling it again is harmless
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

// Kept so that the end of a wait can remove the listener, which would keep the signal and what it references alive.
const listeners = new WeakMap<AbortSignal, Callback>()

function listen(signal: AbortSignal): Set<Callback> {
  const callbacks = new Set<Callback>()
  const listener = (): void => {
    forget(signal)
    // A wait that another callback ends is no longer called.
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
