/** For programs that set spans and metrics up by themselves. */
import { context, SpanKind, SpanStatusCode, trace, type Meter, type Span, type Tracer } from '@opentelemetry/api'
import type { Message } from 'ottla'
import { messageContext } from './headers.ts'
import { ClientMetrics, type MetricsOptions } from './metrics.ts'
import { attribute, errorType, systemAttributes } from './names.ts'
import type { TracingOptions } from './options.ts'
import { ClientSpans } from './spans.ts'

/**
 * Makes spans of what all clients of the process do, as `OttlaInstrumentation` does.
 * @returns a function that ends this
 * @since 0.1.0
 */
export function traceClients(tracer: Tracer, options: TracingOptions = {}): () => void {
  const spans = new ClientSpans(() => tracer, options)
  return () => spans.end()
}

/**
 * Measures all clients of the process, as `OttlaInstrumentation` does.
 * @returns a function that ends this
 * @since 0.1.0
 */
export function measureClients(meter: Meter, options: MetricsOptions = {}): () => void {
  const measured = new ClientMetrics(meter, options)
  return () => measured.end()
}

/**
 * Calls `work` in a span for processing one message, a child of its sender's: for loops over messages, whose work no
 * handler encloses.
 * @since 0.1.0
 */
export async function processMessage<R>(
  message: Message<unknown, unknown>,
  work: (span: Span) => R | Promise<R>,
  tracer: Tracer = trace.getTracer('@ottla/opentelemetry'),
): Promise<R> {
  const { topic, partition, offset } = message
  const carried = messageContext(message)
  const attributes = {
    ...systemAttributes(),
    [attribute.operationName]: 'process',
    [attribute.operationType]: 'process',
    [attribute.destination]: topic,
    [attribute.partition]: String(partition),
    [attribute.offset]: offset,
  }
  const span = tracer.startSpan(`process ${topic}`, { kind: SpanKind.CONSUMER, attributes }, carried)
  try {
    return await context.with(trace.setSpan(carried, span), () => work(span))
  } catch (error) {
    span.setAttribute(attribute.errorType, errorType(error))
    span.setStatus({
      code: SpanStatusCode.ERROR,
      message: error instanceof Error ? error.message : 'something else than an error was thrown',
    })
    throw error
  } finally {
    span.end()
  }
}
