/**
 * Who is calling: the functions on the stack, and the async functions that wait for them (V8's async stack traces).
 * Costs nothing until it is used, unlike AsyncLocalStorage, which slows down every promise of the process on Node
 * before 24. Code that runs from a timer or an event has no caller; outside of V8, nor does code after an `await`.
 */

/** One function on the stack. */
export interface Frame {
  readonly name: string
  /** Where the function itself is, not its current call; empty if unknown. */
  readonly place: string
  /** It awaits the frames before it. */
  readonly isWaiting: boolean
}

// Where a function begins is V8's own addition, and missing from some versions of the types.
interface CallSite {
  getFunctionName(): string | null
  isAsync?(): boolean
  getScriptNameOrSourceURL?(): string | null
  getEnclosingLineNumber?(): number | null
  getEnclosingColumnNumber?(): number | null
}

/** The stack from the caller of this function on. Empty if the engine does not provide it. */
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
