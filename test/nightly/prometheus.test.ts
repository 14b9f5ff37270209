/** Prometheus itself (Debian's package) with @ottla/prometheus: what it scrapes, its checks, the dashboard's queries. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { Monitored, panels, PARTITIONS, rulesFile } from '../harness/prometheus.ts'

const SCRAPED_MS = 60_000

const monitored = new Monitored()
before(() => monitored.start())
after(() => monitored.close())

/** How many series a query finds; null while Prometheus does not answer yet. */
async function series(query: string): Promise<number | null> {
  return (await monitored.query(query))?.length ?? null
}

test('promtool finds nothing in the metrics and the rules', async () => {
  const metrics = spawnSync('promtool', ['check', 'metrics'], {
    input: await monitored.register.metrics(),
    encoding: 'utf8',
  })
  assert.deepEqual([metrics.status, metrics.stdout, metrics.stderr], [0, '', ''])
  const rules = spawnSync('promtool', ['check', 'rules', rulesFile], {
    encoding: 'utf8',
  })
  assert.equal(rules.status, 0, rules.stdout + rules.stderr)
})

test('Prometheus scrapes 200 partitions for a minute; every query of the dashboard has data, and the rules do', async () => {
  await monitored.scrape()
  const asked = [
    ...panels().flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    'ottla:consumer_lag_seconds',
    'ottla:producer_queue_fill_ratio',
  ]
  assert.ok(asked.length > 15)
  const begun = Date.now()
  let empty = asked
  for (;;) {
    const found = await Promise.all(empty.map(query => series(query)))
    empty = empty.filter((_, i) => (found[i] ?? 0) === 0)
    if (empty.length === 0 && Date.now() - begun > SCRAPED_MS) break
    assert.ok(Date.now() - begun < 3 * SCRAPED_MS, `no data: ${empty.join('\n')}`)
    await new Promise(resolve => setTimeout(resolve, 1000))
  }
  assert.equal(await series('up == 1'), 1)
  assert.equal(await series(`ottla_consumer_partitions == ${PARTITIONS}`), 1)
  // None of them is by partition: a hundred or so series for each client.
  assert.ok(((await series('{job="shop"}')) ?? 0) < 1000)
  assert.equal(await series('ALERTS{alertname="OttlaClientDown"}'), 1)
})
