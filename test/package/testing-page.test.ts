/** The code of docs/testing.md that is no file of its own runs where it belongs; testing-recipes.test.ts has the files. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { transformSync } from 'esbuild'
import { eventually, startTestCluster } from '@ottla/broker/testing'
import { Consumer } from 'ottla'
import { root } from './program.ts'
import { runIn } from './recipes.ts'

const page = readFileSync(join(root, 'docs', 'testing.md'), 'utf8')
// Below the root, so that the packages are found; git takes no notice of it.
const folder = join(root, 'node_modules', '.cache', `testing-page-${process.pid}`)
const PATIENT = { timeoutMs: 60_000 }

before(() => mkdirSync(folder, { recursive: true }))
after(() => rmSync(folder, { recursive: true, force: true }))

/** What a piece takes for granted, and what has to hold after it, by the heading above it. */
const situations: Readonly<Record<string, { readonly given?: string; readonly then: string }>> = {
  'A cluster for a file': { then: `assert.equal(cluster.bootstrapServers.split(',').length, 3)` },
  'Waiting instead of sleeping': {
    given: `
      import { startTestCluster } from '@ottla/broker/testing'
      import { Consumer } from 'ottla'
      const messages = Array.from({ length: 42 }, (_, i) => ({ partition: 0, value: String(i) }))
      const done = ['5', '6', '7'].map(key => ({ key, value: 'invoice' }))
      await using started = await startTestCluster({
        topics: { orders: { partitions: 2, messages }, invoices: { messages: done } },
      })
      const billing = [1, 2].map(() => {
        const consumer = new Consumer({
          'bootstrap.servers': started.bootstrapServers,
          'group.id': 'billing',
          'auto.offset.reset': 'earliest',
          'auto.commit.interval.ms': 100,
          'heartbeat.interval.ms': 100,
        })
        consumer.subscribe('orders')
        void consumer.run({ handler: () => undefined })
        return consumer
      })
      const cluster = {
        waitForMessages: (topic, wait) => started.waitForMessages(topic, wait),
        waitForCommitted: (groupId, topic, wait) => started.waitForCommitted(groupId, topic, wait),
        // The members leave as soon as they have been seen.
        waitForGroup: async (groupId, wait) => {
          const group = await started.waitForGroup(groupId, wait)
          if (group.members.length > 0) for (const consumer of billing) void consumer.close()
          return group
        },
      }`,
    then: `assert.equal(String(mine?.key), '7')`,
  },
  'Topics that hold something': {
    then: `
      const found = await seeded.messages('orders')
      assert.deepEqual(found.map(({ key }) => String(key)).sort(), ['7', 'null'])`,
  },
  Faults: {
    given: `
      import { startTestCluster } from '@ottla/broker/testing'
      import { Producer } from 'ottla'
      await using cluster = await startTestCluster({ brokers: 3, topics: ['orders'] })`,
    then: `
      const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers })
      await producer.send({ topic: 'orders', value: '2 apples' })
      await producer.close()
      assert.equal((await cluster.messages('orders')).length, 1)`,
  },
  'Virtual time': { then: '' },
  'Instead of Testcontainers': { then: `assert.match(brokers[0] ?? '', /^127\\.0\\.0\\.1:\\d+$/)` },
}

/** The ```ts blocks, by heading. */
function pieces(): Map<string, string> {
  const found = new Map<string, string>()
  for (const section of page.split(/^## /m).slice(1)) {
    const heading = section.slice(0, section.indexOf('\n'))
    for (const [, code = ''] of section.matchAll(/```ts\n([\s\S]*?)```/g)) {
      assert.ok(!found.has(heading), `more than one piece below ${heading}`)
      found.set(heading, code)
    }
  }
  return found
}

const IMPORT = /^\s*import .*$/gm

function programOf(piece: string, { given = '', then }: { readonly given?: string; readonly then: string }): string {
  const imports = `${given}\n${piece}`.match(IMPORT)?.map(line => line.trim()) ?? []
  return [
    "import assert from 'node:assert/strict'",
    ...new Set(imports),
    given.replaceAll(IMPORT, ''),
    // In a scope of its own: its names may be those of the situation.
    `{\n${piece.replaceAll(IMPORT, '')}\n${then}\n}`,
  ].join('\n')
}

test('there is a situation for every piece of the page', () => {
  assert.deepEqual([...pieces().keys()], Object.keys(situations))
})

for (const [heading, situation] of Object.entries(situations)) {
  test(`what the page shows below "${heading}" works, and the process ends by itself`, () => {
    const { code } = transformSync(programOf(pieces().get(heading) ?? '', situation), {
      loader: 'ts',
      format: 'esm',
      target: 'node20',
    })
    writeFileSync(join(folder, 'piece.mjs'), code)
    const { status, output } = runIn(folder, process.execPath, ['piece.mjs'])
    assert.equal(status, 0, output)
  })
}

test('a wait that is over says what the page shows', async () => {
  const [, shown = ''] = /```\n(waited [\s\S]*?)```/.exec(page) ?? []
  const orders = { partitions: 1, messages: Array.from({ length: 42 }, () => ({ value: 'order' })) }
  const invoices = { partitions: 2, messages: [1, 2].map(() => ({ partition: 0, value: 'invoice' })) }
  await using cluster = await startTestCluster({ topics: { orders, invoices } })
  const consumer = new Consumer({
    'bootstrap.servers': cluster.bootstrapServers,
    'group.id': 'billing',
    'enable.auto.commit': false,
  })
  try {
    consumer.subscribe('orders')
    await cluster.waitForGroup('billing', PATIENT)
    await eventually(() => consumer.commit([{ topic: 'orders', partition: 0, offset: 41 }]), PATIENT)
    const late = [
      cluster.waitForMessages('invoices', { count: 3, timeoutMs: 50 }),
      cluster.waitForCommitted('billing', 'orders', { timeoutMs: 50 }),
    ]
    const said = (await Promise.allSettled(late)).map(each => (each.status === 'rejected' ? String(each.reason) : ''))
    assert.equal(said.map(text => `${text.replace('Error: ', '').replace('50 ms', '4000 ms')}\n`).join(''), shown)
  } finally {
    await consumer.close()
  }
})
