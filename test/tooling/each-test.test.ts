/** What test/harness/each-test does with tests that leave things open, hang, or end badly. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

const head = `
import { after, afterEach, before, test } from 'node:test'
import { AdminClient, Consumer, Producer, ShareConsumer } from 'ottla'
import { EmbeddedCluster } from '@ottla/broker'
const quiet = { logger: () => undefined }
let cluster, config
before(async () => {
  cluster = await EmbeddedCluster.start()
  config = { 'bootstrap.servers': cluster.bootstrapServers }
})
after(() => cluster.close())
`

/** Runs a file of tests as `npm test` does. */
async function outcomeOf(t: TestContext, body: string): Promise<{ status: number | null; text: string }> {
  const folder = mkdtempSync(join(root, 'test', 'tooling', 'made-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'made.test.ts')
  writeFileSync(file, `${head}${body}`)
  const flags = ['--conditions=@ottla/source', '--import', 'tsx', '--import', './test/harness/each-test/main.ts']
  const env: NodeJS.ProcessEnv = { ...process.env, OTTLA_TEST_LIMIT_MS: '2000', OTTLA_END_LIMIT_MS: '1000' }
  delete env['NODE_TEST_CONTEXT']
  const child = spawn(process.execPath, [...flags, '--test', '--test-reporter=tap', file], { cwd: root, env })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (text += String(chunk)))
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, text }
}

test('a test that closes what it made passes, by whatever way it does', async t => {
  const { status, text } = await outcomeOf(
    t,
    `
    const open = []
    afterEach(() => Promise.all(open.splice(0).map(each => each.close())))
    test('await using', async () => { await using p = new Producer(config, quiet) })
    test('t.after', t => { const c = new Consumer({ ...config, 'group.id': 'g' }, quiet); t.after(() => c.close()) })
    test('afterEach', () => { open.push(new AdminClient(config, quiet)) })
    test('not awaited', () => { void new ShareConsumer({ ...config, 'group.id': 's' }, quiet).close() })
    `,
  )
  assert.equal(status, 0, text)
})

test('what a test leaves open fails it by name, is closed, and the others go on', async t => {
  const { status, text } = await outcomeOf(
    t,
    `
    let left
    test('leaves', () => {
      left = [new Producer({ ...config, 'client.id': 'mine' }, quiet), new Consumer({ ...config, 'group.id': 'g' }, quiet)]
    })
    test('goes on', async () => { if (!left[0].closed || !left[1].closed) throw new Error('still open') })
    `,
  )
  assert.equal(status, 1)
  assert.match(text, /left open: Consumer \(made\.test\.ts:\d+\), Producer mine \(made\.test\.ts:\d+\)/)
  assert.match(text, /not ok \d+ - leaves/)
  assert.match(text, /ok \d+ - goes on/)
  assert.doesNotMatch(text, /not ok \d+ - goes on/)
})

test('a test that fails leaves nothing open, and its own error is the one told', async t => {
  const { status, text } = await outcomeOf(
    t,
    `
    let left
    test('fails', () => { left = new Producer(config, quiet); throw new Error('the reason') })
    test('goes on', () => { if (!left.closed) throw new Error('still open') })
    `,
  )
  assert.equal(status, 1)
  assert.match(text, /error: 'the reason'/)
  assert.doesNotMatch(text, /not ok \d+ - goes on/)
})

test('a test that hangs fails at its limit, its own or that of all, and the file goes on and ends', async t => {
  const { status, text } = await outcomeOf(
    t,
    `
    test('reads for ever', async () => {
      const reader = new Consumer({ ...config, 'group.id': 'g' }, quiet)
      cluster.createTopic('empty')
      reader.subscribe('empty')
      for await (const _ of reader);
    })
    test('has less time', { timeout: 300 }, async () => {
      const p = new Producer(config, quiet)
      await new Promise(() => undefined)
    })
    test('goes on', () => undefined)
    `,
  )
  assert.equal(status, 1)
  assert.match(text, /the test took longer than its limit of 2 s/)
  assert.match(text, /the test took longer than its limit of 0\.3 s/)
  assert.match(text, /ok \d+ - goes on/)
})

test('a hook that throws keeps no other from running, and what the file leaves open is told', async t => {
  const { status, text } = await outcomeOf(
    t,
    `
    before(() => void new AdminClient({ 'bootstrap.servers': '127.0.0.1:1' }, quiet))
    after(() => { throw new Error('the first') })
    after(() => console.log('the second ran'))
    test('passes', () => undefined)
    `,
  )
  assert.equal(status, 1)
  assert.match(text, /the first/)
  assert.match(text, /the second ran/)
  assert.match(text, /the file left open: AdminClient/)
})

test('a file that something keeps alive ends all the same, and fails', async t => {
  const { status, text } = await outcomeOf(t, `test('passes', () => { setInterval(() => undefined, 1000) })`)
  assert.equal(status, 1)
  assert.match(text, /its tests are over and it does not end: .*Timeout/)
})
