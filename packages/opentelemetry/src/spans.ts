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
import type { ChannelClient, FetchPayload, HeadersInput, ProcessPayload, ProducePayload, SendPayload } from 'ottla'
import { asReceived, messageContext, spanContexts, withContext, withHeaders } from './headers.ts'
import { attribute, errorType, systemAttributes } from './names.ts'
import type { TracingOptions } from './options.ts'
import { Subscriptions } from './subscriptions.ts'

/** Spans have no more links than this in most SDKs. */
const MOST_LINKS = 128

/** Follows all clients of the process until `end`. */
export class ClientSpans {
  readonly #tracer: () => Tracer
  readonly #isByBatch: boolean
  readonly #propagates: boolean
  readonly #system = systemAttributes()
  readonly #subscriptions = new Subscriptions()

  /** @param tracer asked each time: the provider may be set later */
  constructor(tracer: () => Tracer, { batch = 'message', propagate = true, clientSpans = true }: TracingOptions) {
    this.#tracer = tracer
    this.#isByBatch = batch === 'batch'
    this.#propagates = propagate
    const channels = this.#subscriptions
    if (this.#isByBatch) {
      if (propagate) channels.on('ottla:send', 'start', payload => this.#carry(payload, context.active()))
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
        const topics = new Set(offsets.map(({ topic }) => topic))
        return this.#start(SpanKind.CLIENT, 'commit', 'settle', client, topics, {
          [attribute.batchCount]: offsets.length,
        })
      },
      endSpan,
    )
  }

  end(): void {
    this.#subscriptions.end()
  }

  #sent(payload: SendPayload): Span {
    const { client, message } = payload
    const { topic, value } = message
    const size = sizeOf(value)
    const span = this.#start(SpanKind.PRODUCER, 'send', 'send', client, new Set([topic]), {
      ...(size === null ? {} : { [attribute.bodySize]: size }),
      ...(value === null || value === undefined ? { [attribute.tombstone]: true } : {}),
    })
    if (this.#propagates) this.#carry(payload, trace.setSpan(context.active(), span))
    return span
  }

  #carry(payload: SendPayload, carried: Context): void {
    if (trace.getSpanContext(carried) === undefined) return
    const { message } = payload
    let headers: HeadersInput | undefined
    try {
      headers = withContext(message.headers, carried)
    } catch {
      // These are no headers: the client refuses the message, and says why.
      return
    }
    if (headers !== message.headers && headers !== undefined) payload.message = withHeaders(message, headers)
  }

  #produced({ client, topic, partition, messageCount, attempt, messages }: ProducePayload): Span {
    const links = this.#propagates
      ? linksTo(
          messages
            .filter(({ headers }) => headers !== undefined)
            .map(({ headers }) => ({ headers: asReceived(headers) })),
        )
      : []
    return this.#start(
      SpanKind.PRODUCER,
      'send',
      'send',
      client,
      new Set([topic]),
      {
        [attribute.partition]: String(partition),
        [attribute.batchCount]: messageCount,
        ...(attempt > 1 ? { [attribute.attempt]: attempt } : {}),
      },
      { links, root: true },
    )
  }

  #processed(payload: ProcessPayload): Span | undefined {
    const { client, topic, partition, offset, messageCount, attempt, message, batch } = payload
    const attributes = {
      [attribute.partition]: String(partition),
      [attribute.offset]: offset,
      ...(attempt > 1 ? { [attribute.attempt]: attempt } : {}),
    }
    const topics = new Set([topic])
    if (message !== null) {
      const carried = messageContext(message)
      if (this.#isByBatch) {
        // Without a span of its own, the handler goes on in its sender's, if that had one.
        if (carried !== ROOT_CONTEXT) payload.within = call => context.with(carried, call)
        return undefined
      }
      const span = this.#start(SpanKind.CONSUMER, 'process', 'process', client, topics, attributes, {}, carried)
      payload.within = call => context.with(trace.setSpan(carried, span), call)
      return span
    }
    const links = linksTo(batch ?? [])
    const counted = { ...attributes, [attribute.batchCount]: messageCount }
    const span = this.#start(SpanKind.CONSUMER, 'process', 'process', client, topics, counted, { links, root: true })
    payload.within = call => context.with(trace.setSpan(context.active(), span), call)
    return span
  }

  #fetched({ client, fetched, error }: FetchPayload, begun: number): void {
    const count = fetched.reduce((sum, { messageCount }) => sum + messageCount, 0)
    if (count === 0 && error === undefined) return
    const topics = new Set(fetched.map(({ topic }) => topic))
    const attributes = { [attribute.batchCount]: count }
    const options = { root: true, startTime: begun }
    const span = this.#start(SpanKind.CLIENT, 'poll', 'receive', client, topics, attributes, options)
    endSpan({ error }, span)
  }

  #start(
    kind: SpanKind,
    operation: string,
    type: string,
    { clientId, groupId }: ChannelClient,
    topics: ReadonlySet<string>,
    more: Attributes,
    options: { readonly links?: Link[]; readonly root?: boolean; readonly startTime?: number } = {},
    parent?: Context,
  ): Span {
    const [topic] = topics
    const destination = topics.size === 1 && topic !== undefined ? topic : null
    const attributes: Attributes = {
      ...this.#system,
      [attribute.operationName]: operation,
      [attribute.operationType]: type,
      [attribute.clientId]: clientId,
      ...(destination === null ? {} : { [attribute.destination]: destination }),
      ...(groupId === null ? {} : { [attribute.group]: groupId }),
      ...more,
    }
    const name = destination === null ? operation : `${operation} ${destination}`
    return this.#tracer().startSpan(name, { kind, attributes, ...options }, parent ?? context.active())
  }
}

function linksTo(messages: Parameters<typeof spanContexts>[0]): Link[] {
  return spanContexts(messages, MOST_LINKS).map(each => ({ context: each }))
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
