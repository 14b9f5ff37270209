/**
 * A program that @ottla/prometheus collects from, with a producer, a consumer of 200 partitions and a few troubles, and
 * Prometheus itself (Debian's package), which scrapes it every second.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Registry } from 'prom-client'
import { EmbeddedCluster } from '@ottla/broker'
import { collectMetrics } from '@ottla/prometheus'
import { Consumer, Producer } from 'ottla'

const quiet = (): void => undefined
const monitoring = new URL('../../packages/prometheus/monitoring/', import.meta.url)
export const rulesFile = fileURLToPath(new URL('rules.yml', monitoring))
export const PARTITIONS = 200
const THROTTLE_MS = 50

/** What Grafana knows of one panel of the dashboard. */
export interface Panel {
  readonly type: 'stat' | 'timeseries'
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly fieldConfig: { readonly defaults: { readonly unit: string } }
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[]
}

/** The panels of the dashboard in the package. */
export function panels(): readonly Panel[] {
  const text = readFileSync(new URL('dashboard.json', monitoring), 'utf8')
  return (JSON.parse(text) as { readonly panels: readonly Panel[] }).panels
}

/** A query of the dashboard as Grafana sends it with nothing chosen. */
export function asSent(query: string): string {
  return query.replaceAll(/\$(job|client_id)/g, '.*').replaceAll('$__rate_interval', '30s')
}

/** One series of a result. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>
  /** Pairs of seconds since the epoch, and a number as text. */
  readonly values: readonly (readonly [number, string])[]
}

/** The program, and Prometheus if it is started; both until `close`. */
export class Monitored {
  readonly register = new Registry()
  readonly #ends: (() => unknown)[] = []
  readonly #folder = mkdtempSync(join(tmpdir(), 'ottla-prometheus-'))
  #address = ''

  async start(): Promise<void> {
    const cluster = await EmbeddedCluster.start({ autoCreateTopics: false })
    cluster.createTopic('orders', { partitions: PARTITIONS })
    const endCollecting = collectMetrics({ register: this.register })
    const servers = { 'bootstrap.servers': cluster.bootstrapServers }
    const producer = new Producer({ ...servers, 'client.id': 'shop' }, { logger: quiet })
    const config = { ...servers, 'client.id': 'billing', 'group.id': 'billing' }
    const consumer = new Consumer({ ...config, 'auto.offset.reset': 'earliest' }, { logger: quiet })
    // Something is wrong with one of them, so that the dashboard has that to show.
    const lost = new Producer({ 'bootstrap.servers': '127.0.0.1:1', 'client.id': 'lost' }, { logger: quiet })
    consumer.subscribe('orders')
    let handled = 0
    const running = consumer.run({
      retry: { retries: 1 },
      handler: () => {
        // Every hundredth attempt fails once.
        if (++handled % 100 === 0) throw new Error('once')
      },
    })
    let partition = 0
    const work = setInterval(() => {
      for (let i = 0; i < 10; i++)
        producer.produce({ topic: 'orders', partition: partition++ % PARTITIONS, value: 'v' })
    }, 100)
    cluster.setThrottle(1, THROTTLE_MS)
    this.#ends.push(async () => {
      clearInterval(work)
      await Promise.all([producer.close(), consumer.close(), lost.close(0)])
      await running
      endCollecting()
      await cluster.close()
    })
  }

  async close(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Starts Prometheus, which scrapes every second. */
  async scrape(): Promise<void> {
    const config = `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ['${rulesFile}']
scrape_configs: [{ job_name: shop, static_configs: [{ targets: ['127.0.0.1:${await this.#page()}'] }] }]
`
    const file = join(this.#folder, 'prometheus.yml')
    writeFileSync(file, config)
    this.#address = `127.0.0.1:${await freePort()}`
    const data = `--storage.tsdb.path=${this.#folder}/data`
    const args = [`--config.file=${file}`, data, `--web.listen-address=${this.#address}`]
    const child = spawn('prometheus', args, { stdio: 'ignore' })
    this.#ends.push(async () => {
      child.kill()
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    })
  }

  /**
   * What Prometheus finds; null while it does not answer yet.
   * @param range seconds since the epoch; now if left out
   * @throws Error for a query that it refuses
   */
  async query(query: string, range?: { from: number; to: number; step: number }): Promise<readonly Series[] | null> {
    const asked = new URLSearchParams({ query: asSent(query) })
    if (range !== undefined) {
      for (const [name, value] of [
        ['start', range.from],
        ['end', range.to],
        ['step', range.step],
      ] as const) {
        asked.set(name, String(value))
      }
    }
    const path = range === undefined ? 'query' : 'query_range'
    const response = await fetch(`http://${this.#address}/api/v1/${path}?${asked.toString()}`).catch(() => null)
    if (response === null || response.status === 503) return null
    const { data, error } = (await response.json()) as {
      readonly data?: { readonly result: readonly (Series & { readonly value: Series['values'][number] })[] }
      readonly error?: string
    }
    if (data === undefined) throw new Error(`${query}: ${error ?? ''}`)
    return data.result.map(({ metric, value, values }) => ({ metric, values: range === undefined ? [value] : values }))
  }

  /** A page with the metrics. @returns its port */
  async #page(): Promise<number> {
    const { register } = this
    const server = createServer((_, response) => {
      void register.metrics().then(text => response.setHeader('content-type', register.contentType).end(text))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    this.#ends.push(() => {
      server.closeAllConnections()
      server.close()
    })
    return (server.address() as AddressInfo).port
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}
