/** Calls report callbacks in the asynchronous context of their `produce`, for AsyncLocalStorage. */
import { AsyncResource } from 'node:async_hooks'

type Callback<R> = (report: R) => void

/**
 * How to detect that nothing in the process uses AsyncLocalStorage. Both ways come from Node's sources; where neither
 * is available, each callback gets a resource.
 */
type Contexts =
  // Node before 24 follows promises: while a storage is in use, each promise has a mark.
  | { readonly are: 'marked'; readonly mark: symbol }
  // Node from 24 keeps contexts in a frame, which a resource remembers.
  | { readonly are: 'framed'; readonly frame: symbol }
  | { readonly are: 'hidden' }

type InContext = <R>(callback: Callback<R>) => Callback<R>

/** The callback itself while nothing uses AsyncLocalStorage; else one that calls it in the present context. */
export const inContext = maker(findContexts())

// The engine treats constants of a function as constants, but not those of a bundle.
function maker(contexts: Contexts): InContext {
  if (contexts.are === 'marked') return inMarked(contexts.mark)
  return contexts.are === 'framed' ? inFrame(contexts.frame) : bound
}

function bound<R>(callback: Callback<R>, resource: AsyncResource = newResource()): Callback<R> {
  return report => resource.runInAsyncScope(callback, undefined, report)
}

function newResource(): AsyncResource {
  return new AsyncResource('OttlaDeliveryReport')
}

type Stores = Readonly<Record<symbol, unknown>>

function inMarked(mark: symbol): InContext {
  const nothing = (): void => undefined
  // Programs that use a storage go on to do so; to ask for each message takes as long again as a resource.
  let isUsed = false
  return callback => {
    if (!isUsed) {
      // While there are no marks, optimized code does not even create the promise.
      const promise: object = new Promise(nothing)
      if ((promise as Stores)[mark] === undefined) return callback
      isUsed = true
    }
    return bound(callback)
  }
}

/** A frame never changes: a storage's value is put into another one. */
function inFrame(symbol: symbol): InContext {
  let lastFrame: unknown = null
  let lastCallback: unknown = null
  let lastBound: unknown = null
  return <R>(callback: Callback<R>) => {
    const resource = newResource()
    const frame = (resource as unknown as Stores)[symbol] // a property that its class does not declare
    if (frame === undefined) return callback
    // The same one again: batches whose messages have one callback report fastest.
    if (frame !== lastFrame || callback !== lastCallback) {
      lastFrame = frame
      lastCallback = callback
      lastBound = bound(callback, resource)
    }
    return lastBound as Callback<R> // made for `lastCallback`
  }
}

// Trying it with a storage would be safer, but would slow down every promise of the process from then on.
function findContexts(): Contexts {
  const { versions, execArgv, env } = process
  const isNode = versions['bun'] === undefined && versions['deno'] === undefined
  const hasChosen = `${execArgv.join(' ')} ${env['NODE_OPTIONS'] ?? ''}`.includes('async-context-frame')
  if (!isNode || hasChosen) return { are: 'hidden' }
  const symbols = Object.getOwnPropertySymbols(new AsyncResource('OttlaProbe'))
  const named = (name: string): symbol | undefined => symbols.find(({ description }) => description === name)
  if (Number.parseInt(versions.node) < 24) {
    const found = named('async_id_symbol')
    return found === undefined ? { are: 'hidden' } : { are: 'marked', mark: found }
  }
  const found = named('context_frame')
  return found === undefined ? { are: 'hidden' } : { are: 'framed', frame: found }
}
