/** Reports are called in the asynchronous context of their `produce`, so that AsyncLocalStorage finds what it held there. */
import { AsyncResource } from 'node:async_hooks'

type Callback<R> = (report: R) => void

/**
 * How it can be seen, without asking for a resource or with one, that no program keeps contexts. Both have been seen in
 * Node's sources; where neither is known, each callback gets its resource.
 */
type Contexts =
  // Node before 24 keeps them by following promises: as long as a storage is in use, each promise bears a mark.
  | { readonly are: 'marked'; readonly mark: symbol }
  // Node from 24 keeps them in a frame, which a resource remembers.
  | { readonly are: 'framed'; readonly frame: symbol }
  | { readonly are: 'hidden' }

/** The callback itself while no program keeps contexts; else one that runs it in the context of now. */
export const inContext = maker(findContexts())

// Constants of a function are constants to the engine; those of a bundle are not.
function maker(contexts: Contexts): <R>(callback: Callback<R>) => Callback<R> {
  const mark = contexts.are === 'marked' ? contexts.mark : null
  const frame = contexts.are === 'framed' ? contexts.frame : null
  const nothing = (): void => undefined
  return callback => {
    if (mark !== null) {
      // As long as there are no marks, optimized code does not even make the promise. A resource takes 65 ns.
      const promise: object = new Promise(nothing)
      if ((promise as Record<symbol, unknown>)[mark] === undefined) return callback
    }
    const resource: object = new AsyncResource('OttlaDeliveryReport')
    if (frame !== null && (resource as Record<symbol, unknown>)[frame] === undefined) return callback
    return report => (resource as AsyncResource).runInAsyncScope(callback, undefined, report)
  }
}

// To try it out with a storage would be surer, but from then on every promise of the process would be slower.
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
