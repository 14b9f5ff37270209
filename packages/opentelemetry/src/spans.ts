/** Spans from the channels. */
import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Link,
  type Span,
  type Tracer,
} from '@opentelemetry/api'
import type {
  Carry,
  CarryPayload,
  ChannelClient,
  FetchPayload,
  ProcessPayload,
  ProducePayload,
  SendPayload,
} from 'ottla'
import { joined, OperationAttributes } from './attributes.ts'
import {
  carrierOf,
  messageContext,
  spanContexts,
  withCarrier,
  withHeaders,
  type AnyMessage,
  type Carrier,
} from './headers.ts'
import { attribute, errorType } from './names.ts'
import type { TracingOptions } from './options.ts'
import { Subscriptions } from './subscriptions.ts'

/** A kind of spans. */
interface Operation {
  readonly name: string
  readonly kind: SpanKind
  readonly attributes: OperationAttributes
}

interface Start {
  readonly links?: Link[]
  readonly root?: boolean
  /** Milliseconds since the epoch. */
  readonly startTime?: number
}

/** How many messages of a batch are looked at for links: spans have no more of them in most SDKs. */
const MOST_LINKED = 128

/** Follows all clients of the process until `end`. */
export class ClientSpans {
  readonly #tracer: () => Tracer
  readonly #isByBatch: boolean
  readonly #propagates: boolean
  readonly #send = operation('send', 'send', SpanKind.PRODUCER)
  readonly #process = operation('process', 'process', SpanKind.CONSUMER)
  readonly #poll = operation('poll', 'receive', SpanKind.CLIENT)
  readonly #settle = operation('commit', 'settle', SpanKind.CLIENT)
  readonly #subscriptions = new Subscriptions()
  readonly #withActive = carryingActive(() => this.#hasEnded)
  #hasEnded = false

  /** @param tracer asked each time: the provider may be set later */
  constructor(tracer: () => Tracer, { batch = 'message', propagate = true, clientSpans = true }: TracingOptions) {
    this.#tracer = tracer
    this.#isByBatch = batch === 'batch'
    this.#propagates = propagate
    const channels = this.#subscriptions
    if (this.#isByBatch) {
      if (propagate) channels.on('ottla:carry', 'start', payload => this.#carries(payload))
      channels.follow('ottla:produce', payload => this.#produced(payload), endProduced)
    } else {
      channels.follow('ottla:send', payload => this.#sent(payload), endSent)
    }
    channels.follow('ottla:process', payload => this.#processed(payload), endSpan)
    if (!clientSpans) return
    channels.follow(
      'ottla:fetch',
      () => Date.now(),
      (payload, begun) => this.#fetched(payload, begun),
    )
    channels.follow(
      'ottla:commit',
      ({ client, offsets }) => {
        return this.#start(this.#settle, client, onlyTopic(offsets), { [attribute.batchCount]: offsets.length })
      },
      endSpan,
    )
  }

  end(): void {
    this.#hasEnded = true
    this.#subscriptions.end()
  }

  #sent(payload: SendPayload): Span {
    const { client, message } = payload
    const { topic, value } = message
    const size = sizeOf(value)
    const attributes: Attributes = {}
    if (size !== null) attributes[attribute.bodySize] = size
    if (value === null || value === undefined) attributes[attribute.tombstone] = true
    const span = this.#start(this.#send, client, topic, attributes)
    const carrier = this.#propagates ? carrierOf(trace.setSpan(context.active(), span)) : undefined
    if (carrier !== undefined) payload.message = carrying(message, carrier)
    return span
  }

  #carries(payload: CarryPayload): void {
    const { carry } = payload
    payload.carry = carry === undefined ? this.#withActive : message => this.#withActive(carry(message))
  }

  #produced({ client, topic, partition, messageCount, attempt, messages }: ProducePayload): Span {
    const links = this.#propagates ? linksTo(messages) : []
    const attributes: Attributes = { [attribute.partition]: String(partition), [attribute.batchCount]: messageCount }
    if (attempt > 1) attributes[attribute.attempt] = attempt
    return this.#start(this.#send, client, topic, attributes, { links, root: true })
  }

  #processed(payload: ProcessPayload): Span | undefined {
    const { client, topic, partition, offset, messageCount, attempt, message, batch } = payload
    const carried = message === null ? ROOT_CONTEXT : messageContext(message)
    if (message !== null && this.#isByBatch) {
      // Without a span of its own, the handler goes on in its sender's, if that had one.
      if (carried !== ROOT_CONTEXT) payload.within = call => context.with(carried, call)
      return undefined
    }
    const attributes: Attributes = { [attribute.partition]: String(partition), [attribute.offset]: offset }
    if (attempt > 1) attributes[attribute.attempt] = attempt
    if (message === null) attributes[attribute.batchCount] = messageCount
    const span =
      message === null
        ? this.#start(this.#process, client, topic, attributes, { links: linksTo(batch ?? []), root: true })
        : this.#start(this.#process, client, topic, attributes, {}, carried)
    const within = message === null ? context.active() : carried
    payload.within = call => context.with(trace.setSpan(within, span), call)
    return span
  }

  #fetched({ client, fetched, error }: FetchPayload, begun: number): void {
    const count = fetched.reduce((sum, { messageCount }) => sum + messageCount, 0)
    if (count === 0 && error === undefined) return
    const attributes = { [attribute.batchCount]: count }
    const span = this.#start(this.#poll, client, onlyTopic(fetched), attributes, { root: true, startTime: begun })
    endSpan({ error }, span)
  }

  /** @param topic null for several */
  #start(
    { name, kind, attributes }: Operation,
    client: ChannelClient,
    topic: string | null,
    more: Attributes,
    options: Start = {},
    parent: Context = context.active(),
  ): Span {
    const all = joined(attributes.of(client, topic), more)
    return this.#tracer().startSpan(
      topic === null ? name : `${name} ${topic}`,
      { kind, attributes: all, ...options },
      parent,
    )
  }
}

function operation(name: string, type: string, kind: SpanKind): Operation {
  return { name, kind, attributes: new OperationAttributes([name, type]) }
}

/** The topic of all; null if there are several, or none. */
function onlyTopic(places: readonly { readonly topic: string }[]): string | null {
  const topics = new Set(places.map(({ topic }) => topic))
  const [topic] = topics
  return topics.size === 1 && topic !== undefined ? topic : null
}

function linksTo(messages: Parameters<typeof spanContexts>[0]): Link[] {
  return spanContexts(messages, MOST_LINKED).map(each => ({ context: each }))
}

/**
 * Adds the active context to messages, mostly that of the last one. One function for all batches, so that the engine can
 * inline it.
 * @param hasEnded producers ask again only when they begin a batch
 */
function carryingActive(hasEnded: () => boolean): Carry {
  let active: Context | null = null
  let carrier: Carrier | undefined
  return message => {
    const now = context.active()
    if (now !== active) {
      active = now
      carrier = trace.getSpanContext(now) === undefined ? undefined : carrierOf(now)
    }
    return carrier === undefined || hasEnded() ? message : carrying(message, carrier)
  }
}

function carrying(message: AnyMessage, carrier: Carrier): AnyMessage {
  try {
    return withHeaders(message, withCarrier(message.headers, carrier))
  } catch {
    // These are no headers: the client refuses the message, and says why.
    return message
  }
}

function endSent(payload: SendPayload, span: Span): void {
  const { result } = payload
  if (result !== undefined) {
    if (result.partition >= 0) span.setAttribute(attribute.partition, String(result.partition))
    if (result.offset >= 0) span.setAttribute(attribute.offset, result.offset)
  }
  endSpan(payload, span)
}

function endProduced(payload: ProducePayload, span: Span): void {
  const { result } = payload
  if (result !== undefined && result.baseOffset >= 0) span.setAttribute(attribute.offset, result.baseOffset)
  endSpan(payload, span)
}

function endSpan({ error }: { readonly error?: unknown }, span: Span): void {
  if (error !== undefined) {
    const message = error instanceof Error ? error.message : 'something else than an error was thrown'
    span.setAttribute(attribute.errorType, errorType(error))
    span.setStatus({ code: SpanStatusCode.ERROR, message })
  }
  span.end()
}

function sizeOf(value: unknown): number | null {
  if (typeof value === 'string') return Buffer.byteLength(value)
  return value instanceof Uint8Array ? value.length : null
}
