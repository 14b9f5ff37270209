/** The instrumentation for the OpenTelemetry SDK: registered like any other, and nothing is patched. */
import { metrics, trace, type MeterProvider, type TracerProvider } from '@opentelemetry/api'
import { libraryVersion } from 'ottla'
import { ClientMetrics, type MetricsOptions } from './metrics.ts'
import type { TracingOptions } from './options.ts'
import { ClientSpans } from './spans.ts'

/**
 * Configuration of the instrumentation.
 * @since 0.1.0
 */
export interface OttlaInstrumentationConfig extends TracingOptions, MetricsOptions {
  /** False: does nothing until `enable`. True by default. */
  readonly enabled?: boolean
}

const NAME = '@ottla/opentelemetry'

/**
 * Spans and metrics of all clients of ottla in the process, for `registerInstrumentations` and `NodeSDK`. It subscribes
 * to ottla's channels: it does not matter whether ottla is loaded before or after it.
 * @since 0.1.0
 */
export class OttlaInstrumentation {
  readonly instrumentationName = NAME
  readonly instrumentationVersion = libraryVersion
  #config: OttlaInstrumentationConfig
  #tracerProvider: TracerProvider | null = null
  #meterProvider: MeterProvider | null = null
  #spans: ClientSpans | null = null
  #metrics: ClientMetrics | null = null
  #isEnabled = false

  constructor(config: OttlaInstrumentationConfig = {}) {
    this.#config = config
    if (config.enabled !== false) this.enable()
  }

  /** Follows the clients from now on. */
  enable(): void {
    if (this.#isEnabled) return
    this.#isEnabled = true
    this.#spans = new ClientSpans(() => (this.#tracerProvider ?? trace).getTracer(NAME, libraryVersion), this.#config)
    this.#measure()
  }

  /** Follows them no longer. */
  disable(): void {
    this.#isEnabled = false
    this.#spans?.end()
    this.#metrics?.end()
    this.#spans = this.#metrics = null
  }

  setTracerProvider(provider: TracerProvider): void {
    this.#tracerProvider = provider
  }

  setMeterProvider(provider: MeterProvider): void {
    this.#meterProvider = provider
    if (this.#isEnabled) this.#measure()
  }

  getConfig(): OttlaInstrumentationConfig & { readonly enabled: boolean } {
    return { ...this.#config, enabled: this.#isEnabled }
  }

  /** Takes effect at once. */
  setConfig(config: OttlaInstrumentationConfig): void {
    const wasEnabled = this.#isEnabled
    this.disable()
    this.#config = config
    if (config.enabled ?? wasEnabled) this.enable()
  }

  // Instruments belong to a provider.
  #measure(): void {
    this.#metrics?.end()
    const meter = (this.#meterProvider ?? metrics).getMeter(NAME, libraryVersion)
    this.#metrics = new ClientMetrics(meter, this.#config)
  }
}
