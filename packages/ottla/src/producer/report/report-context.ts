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

/** The callback itself while nothing uses AsyncLocalStorage; else one that calls it in the present context. */
export const inContext = maker(findContexts())

// The engine treats constants of a function as constants, but not those of a bundle.
function maker(contexts: Contexts): <R>(callback: Callback<R>) => Callback<R> {
  const mark = contexts.are === 'marked' ? contexts.mark : null
  const frame = contexts.are === 'framed' ? contexts.frame : null
  const nothing = (): void => undefined
  return callback => {
    if (mark !== null) {
      // While there are no marks, optimized code does not even create the promise. A resource takes 65 ns.
      const promise: object = new Promise(nothing)
      if ((promise as Record<symbol, unknown>)[mark] === undefined) return callback
    }
    const resource: object = new AsyncResource('OttlaDeliveryReport')
    if (frame !== null && (resource as Record<symbol, unknown>)[frame] === undefined) return callback
    return report => (resource as AsyncResource).runInAsyncScope(callback, undefined, report)
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
