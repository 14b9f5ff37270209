/**
 * `npm run dashboard [-- --seconds 90]`: docs/pictures/dashboard.png, a picture of the dashboard in packages/prometheus: its
 * queries, answered by Prometheus, which scrapes a program with a producer and a consumer of 200 partitions. Grafana itself
 * is not needed: the panels are drawn by page.ts, and Chromium turns the page into a picture. Needs `prometheus` and
 * `chromium` (Debian's packages).
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Monitored, panels } from '../../test/harness/prometheus.ts'
import { page, type Drawn, type Found } from './page.ts'

const { values: given } = parseArgs({ options: { seconds: { type: 'string', default: '90' } } })
const seconds = Number(given.seconds)
const STEP_SECONDS = 1
const WIDTH = 1200

const pictures = fileURLToPath(new URL('../../docs/pictures/', import.meta.url))
const monitored = new Monitored()
try {
  await monitored.start()
  await monitored.scrape()
  const from = Date.now() / 1000
  await sleep(seconds * 1000)
  const to = Date.now() / 1000
  const drawn: Drawn[] = []
  for (const panel of panels()) {
    const found: Found[] = []
    for (const { expr, legendFormat } of panel.targets) {
      const series = await monitored.query(expr, { from, to, step: STEP_SECONDS })
      found.push({ legendFormat, series: series ?? [] })
    }
    drawn.push({ panel, found })
  }
  take(page(drawn, from, to))
} finally {
  await monitored.close()
}

function take({ html, height }: { html: string; height: number }): void {
  const folder = mkdtempSync(join(tmpdir(), 'ottla-dashboard-'))
  try {
    const file = join(folder, 'page.html')
    writeFileSync(file, html)
    mkdirSync(pictures, { recursive: true })
    const picture = join(pictures, 'dashboard.png')
    const flags = [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      `--user-data-dir=${folder}/profile`,
    ]
    const shot = [`--window-size=${WIDTH},${height}`, `--screenshot=${picture}`, `file://${file}`]
    const { status, stderr } = spawnSync('chromium', [...flags, ...shot], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`chromium ended with ${String(status)}: ${stderr}`)
    console.log(picture)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
