/** Prometheus itself (Debian's package) with @ottla/prometheus: what it scrapes, its checks, the dashboard's queries. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, before, test } from 'node:test'
import { Registry } from 'prom-client'
import { EmbeddedCluster } from '@ottla/broker'
import { collectMetrics } from '@ottla/prometheus'
import { Consumer, Producer } from 'ottla'

const quiet = (): void => undefined
const monitoring = new URL('../../packages/prometheus/monitoring/', import.meta.url)
const PARTITIONS = 200
const SCRAPED_MS = 60_000
const THROTTLE_MS = 50

const register = new Registry()
const folder = mkdtempSync(join(tmpdir(), 'ottla-prometheus-'))
const ends: (() => unknown)[] = []

before(async () => {
  const cluster = await EmbeddedCluster.start({ autoCreateTopics: false })
  cluster.createTopic('orders', { partitions: PARTITIONS })
  const endCollecting = collectMetrics({ register })
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
    for (let i = 0; i < 10; i++) producer.produce({ topic: 'orders', partition: partition++ % PARTITIONS, value: 'v' })
  }, 100)
  cluster.setThrottle(1, THROTTLE_MS)
  ends.push(async () => {
    clearInterval(work)
    await Promise.all([producer.close(), consumer.close(), lost.close(0)])
    await running
    endCollecting()
    await cluster.close()
  })
})
after(async () => {
  for (const end of ends.reverse()) await end()
  rmSync(folder, { recursive: true, force: true })
})

/** A page with the metrics. @returns its port */
async function page(): Promise<number> {
  const server = createServer((_, response) => {
    void register.metrics().then(text => response.setHeader('content-type', register.contentType).end(text))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  ends.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Starts Prometheus, which scrapes every second. @returns its address */
async function prometheus(): Promise<string> {
  const config = `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ['${fileURLToPath(new URL('rules.yml', monitoring))}']
scrape_configs: [{ job_name: shop, static_configs: [{ targets: ['127.0.0.1:${await page()}'] }] }]
`
  const file = join(folder, 'prometheus.yml')
  writeFileSync(file, config)
  const port = await freePort()
  const args = [`--config.file=${file}`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=127.0.0.1:${port}`]
  const child = spawn('prometheus', args, { stdio: 'ignore' })
  ends.push(async () => {
    child.kill()
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  return `http://127.0.0.1:${port}`
}

/** The series that a query finds; null while Prometheus does not answer yet. */
async function series(address: string, query: string): Promise<number | null> {
  try {
    const response = await fetch(`${address}/api/v1/query?query=${encodeURIComponent(query)}`)
    const { status, data, error } = (await response.json()) as {
      readonly status: string
      readonly data?: { readonly result: readonly unknown[] }
      readonly error?: string
    }
    assert.equal(status, 'success', `${query}: ${error ?? ''}`)
    return data?.result.length ?? 0
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error
    return null
  }
}

/** Every query of the dashboard, as Grafana would send it with nothing chosen. */
function queries(): string[] {
  const { panels } = JSON.parse(readFileSync(new URL('dashboard.json', monitoring), 'utf8')) as {
    readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[]
  }
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)).map(asSent)
}

function asSent(query: string): string {
  return query.replaceAll(/\$(job|client_id)/g, '.*').replaceAll('$__rate_interval', '30s')
}

test('promtool finds nothing in the metrics and the rules', async () => {
  const metrics = spawnSync('promtool', ['check', 'metrics'], { input: await register.metrics(), encoding: 'utf8' })
  assert.deepEqual([metrics.status, metrics.stdout, metrics.stderr], [0, '', ''])
  const rules = spawnSync('promtool', ['check', 'rules', fileURLToPath(new URL('rules.yml', monitoring))], {
    encoding: 'utf8',
  })
  assert.equal(rules.status, 0, rules.stdout + rules.stderr)
})

test('Prometheus scrapes 200 partitions for a minute; every query of the dashboard has data, and the rules do', async () => {
  const address = await prometheus()
  const asked = [...queries(), 'ottla:consumer_lag_seconds', 'ottla:producer_queue_fill_ratio']
  assert.ok(asked.length > 15)
  const begun = Date.now()
  let empty = asked
  for (;;) {
    const found = await Promise.all(empty.map(query => series(address, query)))
    empty = empty.filter((_, i) => (found[i] ?? 0) === 0)
    if (empty.length === 0 && Date.now() - begun > SCRAPED_MS) break
    assert.ok(Date.now() - begun < 3 * SCRAPED_MS, `no data: ${empty.join('\n')}`)
    await new Promise(resolve => setTimeout(resolve, 1000))
  }
  assert.equal(await series(address, 'up == 1'), 1)
  assert.equal(await series(address, 'ottla_consumer_partitions == 200'), 1)
  // None of them is by partition: a hundred or so series for each client.
  assert.ok(((await series(address, '{job="shop"}')) ?? 0) < 1000)
  assert.equal(await series(address, 'ALERTS{alertname="OttlaClientDown"}'), 1)
})
