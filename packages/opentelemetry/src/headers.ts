/** Contexts in the headers of messages, by the propagator that the application has chosen (W3C, B3, ...). */
import {
  propagation,
  ROOT_CONTEXT,
  trace,
  type Context,
  type SpanContext,
  type TextMapGetter,
  type TextMapSetter,
} from '@opentelemetry/api'
import type { Header, HeadersInput, Message } from 'ottla'

type Carrier = Record<string, string>

const setter: TextMapSetter<Carrier> = {
  set(carrier, key, value) {
    carrier[key] = value
  },
}

const getter: TextMapGetter<readonly Header[]> = {
  keys: headers => headers.map(({ key }) => key),
  get(headers, key) {
    // As in HTTP, names differ by more than their case; the last of several is the one that was added last.
    const wanted = key.toLowerCase()
    const found = headers.findLast(header => header.key.toLowerCase() === wanted)?.value
    return found === null || found === undefined ? undefined : String(found)
  },
}

/**
 * Headers with a context, in place of one that they may have, from a message that is passed on, say. Copies: what was
 * given stays as it is.
 */
export function withContext(headers: HeadersInput | undefined, context: Context): HeadersInput | undefined {
  const carrier: Carrier = {}
  propagation.inject(context, carrier, setter)
  const added = Object.entries(carrier)
  if (added.length === 0) return headers
  if (headers === undefined) return carrier
  const names = new Set(added.map(([key]) => key.toLowerCase()))
  const isOther = (key: string): boolean => !names.has(key.toLowerCase())
  if (Array.isArray(headers)) {
    const others = headers.filter(({ key }) => isOther(key))
    return [...others, ...added.map(([key, value]) => ({ key, value }))] as HeadersInput
  }
  return { ...Object.fromEntries(Object.entries(headers).filter(([key]) => isOther(key))), ...carrier }
}

/**
 * The context that a message came with; the root context if it has none.
 * @since 0.1.0
 */
export function messageContext(message: Pick<Message<unknown, unknown>, 'headers'>): Context {
  const { headers } = message
  return headers.length === 0 ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, headers, getter)
}

/** The span contexts that messages came with, each once, up to a limit. */
export function spanContexts(
  messages: Iterable<Pick<Message<unknown, unknown>, 'headers'>>,
  limit: number,
): SpanContext[] {
  const found = new Map<string, SpanContext>()
  for (const message of messages) {
    if (found.size >= limit) break
    const spanContext = trace.getSpanContext(messageContext(message))
    if (spanContext !== undefined) found.set(`${spanContext.traceId}-${spanContext.spanId}`, spanContext)
  }
  return [...found.values()]
}

/** A producer's headers as a consumer gets them. */
export function asReceived(headers: HeadersInput | undefined): Header[] {
  if (headers === undefined) return []
  const list = Array.isArray(headers)
    ? headers
    : Object.entries(headers).map(([key, value]) => ({ key, value: value as Header['value'] | string }))
  // Only text is looked at.
  return list as Header[]
}
