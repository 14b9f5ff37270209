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
import type { Header, HeaderInput, HeadersInput, HeaderValueInput, Message, ProducerMessage } from 'ottla'

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
  const isOther = ([key]: Pair): boolean => !names.has(key.toLowerCase())
  const others = pairsOf(headers).filter(isOther)
  if (!(Symbol.iterator in headers)) return { ...Object.fromEntries(others), ...carrier }
  return [...others, ...added]
}

type AnyMessage = ProducerMessage<unknown, unknown>

const fields = ['topic', 'partition', 'key', 'value', 'timestamp', 'opaque'] as const

/** A message with other headers; what an instance of a class has as getters is copied, too. */
export function withHeaders(message: AnyMessage, headers: HeadersInput): AnyMessage {
  const copy: Record<string, unknown> = { ...message }
  for (const field of fields) if (!(field in copy) && field in message) copy[field] = message[field]
  // All that `message` has.
  return { ...(copy as unknown as AnyMessage), headers }
}

type Pair = readonly [key: string, value: HeaderValueInput]

/** Headers in any of their forms: an object, a list of objects, a map or another list of pairs. */
function pairsOf(headers: HeadersInput): Pair[] {
  if (!(Symbol.iterator in headers)) return Object.entries(headers)
  const pairs: Pair[] = []
  for (const each of headers as Iterable<HeaderInput | Pair>)
    pairs.push('key' in each ? [each.key, each.value ?? null] : each)
  return pairs
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
  const list: Header[] = []
  for (const [key, value] of pairsOf(headers)) {
    // An array is several headers of that name. Only text is looked at.
    for (const each of Array.isArray(value) ? value : [value]) list.push({ key, value: each as Header['value'] })
  }
  return list
}
