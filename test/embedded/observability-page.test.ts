/** The first program of each chapter of docs/observability.md, each against a cluster of its own. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { EmbeddedCluster } from '@ottla/broker'

const root = new URL('../../', import.meta.url)
const page = readFileSync(new URL('docs/observability.md', root), 'utf8')
const programs = [...page.matchAll(/^## (.*)\n(?:(?!^## )[\s\S])*?```ts\n([\s\S]*?)```/gm)]
// Below the root, so that the packages are found; git takes no notice of it.
const folder = new URL(`node_modules/.cache/observability-${process.pid}/`, root)

mkdirSync(folder, { recursive: true })
after(() => rmSync(folder, { recursive: true, force: true }))

/** What the program printed. Rejects unless it ends with status 0. */
function run(file: URL, bootstrapServers: string): Promise<string> {
  const args = ['--conditions=@ottla/source', '--import', 'tsx', fileURLToPath(file)]
  const env = { ...process.env, KAFKA_BOOTSTRAP_SERVERS: bootstrapServers }
  const child = spawn(process.execPath, args, { cwd: fileURLToPath(root), env })
  let out = ''
  child.stdout.on('data', chunk => (out += String(chunk)))
  child.stderr.on('data', chunk => (out += String(chunk)))
  return new Promise((resolve, reject) => {
    child.on('close', status => (status === 0 ? resolve(out) : reject(new Error(`exit status ${status}: ${out}`))))
  })
}

/** What each program prints. */
const expected: Record<string, RegExp> = {
  Health: /^down no-broker\ndown closed\n$/,
  OpenTelemetry: /^$/,
  Prometheus: /^$/,
  'Metrics for who runs the brokers': /^$/,
  Channels: /^orders \[0\] 0: \d+\.\d ms\n$/,
}

for (const [, title = '', program = ''] of programs) {
  test(`the program under '${title}' runs and prints what it says`, async () => {
    await using cluster = await EmbeddedCluster.start({ defaultPartitions: 1 })
    const file = new URL(`${title.replaceAll(/\W+/g, '-')}.mts`, folder)
    writeFileSync(file, program)
    assert.match(await run(file, cluster.bootstrapServers), expected[title] ?? /./)
  })
}

test('there are programs on the page', () =>
  assert.deepEqual(
    Object.keys(expected),
    programs.map(([, title]) => title),
  ))
