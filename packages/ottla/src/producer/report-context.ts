/** Reports are called in the asynchronous context of their `produce`, so that AsyncLocalStorage finds what it held there. */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'

type Callback<R> = (report: R) => void

// Undefined until it is known. Null: whether there are contexts cannot be seen from outside.
let mark: symbol | null | undefined

/** The callback itself while no program keeps contexts; else one that runs it in the context of now. */
export function inContext<R>(callback: Callback<R>): Callback<R> {
  if (mark === undefined) mark = findMark()
  if (typeof mark === 'symbol' && !isMarked(mark)) return callback
  const resource = new AsyncResource('OttlaDeliveryReport')
  return report => resource.runInAsyncScope(callback, undefined, report)
}

// Where contexts are kept by following promises (Node before 24), each promise bears a mark as long as any storage is in use.
// Looking for it takes 6 ns, a resource 40. Where they are kept otherwise, there is no such mark, and always a resource.
function findMark(): symbol | null | undefined {
  const found = Object.getOwnPropertySymbols(new AsyncResource('OttlaProbe')).find(
    symbol => symbol.description === 'async_id_symbol',
  )
  if (found === undefined) return null
  // Something else marks promises at the moment (an async hook): whether a storage would cannot be told.
  if (isMarked(found)) return undefined
  const probe = new AsyncLocalStorage<boolean>()
  const isReliable = probe.run(true, () => isMarked(found))
  probe.disable()
  return isReliable ? found : null
}

function isMarked(symbol: symbol): boolean {
  const promise: object = Promise.resolve()
  return (promise as Record<symbol, unknown>)[symbol] !== undefined
}
