/**
 * Who is calling: the functions on the stack, and the asynchronous ones that wait for those (V8's async stack traces).
 * Nothing is paid until it is asked for, unlike AsyncLocalStorage, which makes every promise of the process slower on Node
 * before 24. What goes on from a timer or an event has no caller; nor has what follows an `await` outside of V8.
 */

/** One function that is on the stack. */
export interface Frame {
  readonly name: string
  /** Of the function itself, not of what it calls; empty where that is not known. */
  readonly place: string
  /** It waits, for what the ones before it do. */
  readonly isWaiting: boolean
}

// Where a function begins is V8's own, and not in everybody's types.
interface CallSite {
  getFunctionName(): string | null
  isAsync?(): boolean
  getScriptNameOrSourceURL?(): string | null
  getEnclosingLineNumber?(): number | null
  getEnclosingColumnNumber?(): number | null
}

/** The callers of whoever calls this, that one first. Empty where the engine does not tell. */
export function callers(limit = Infinity): Frame[] {
  const { stackTraceLimit } = Error
  const prepare = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace')
  try {
    Error.stackTraceLimit = limit
    Error.prepareStackTrace = (_, sites) => sites
    const holder: { stack?: unknown } = {}
    Error.captureStackTrace(holder, callers)
    const sites = holder.stack
    return Array.isArray(sites) ? (sites as CallSite[]).map(frameOf) : []
  } catch {
    return [] // Error is frozen, say
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
    if (prepare === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace')
    else Reflect.defineProperty(Error, 'prepareStackTrace', prepare)
  }
}

function frameOf(site: CallSite): Frame {
  const script = site.getScriptNameOrSourceURL?.() ?? ''
  const line = site.getEnclosingLineNumber?.() ?? null
  const place = script === '' || line === null ? '' : `${script}:${line}:${site.getEnclosingColumnNumber?.() ?? ''}`
  return { name: site.getFunctionName() ?? '', place, isWaiting: site.isAsync?.() ?? false }
}
