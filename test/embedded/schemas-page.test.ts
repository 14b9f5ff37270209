/** The programs and commands of docs/schemas.md. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { EmbeddedCluster } from '@ottla/broker'
import { finished } from './cli-terminal.ts'

const root = new URL('../../', import.meta.url)
// Below the root, so that the packages are found; git takes no notice of it.
const folder = new URL(`node_modules/.cache/schemas-page-${process.pid}/`, root)
const page = readFileSync(new URL('docs/schemas.md', root), 'utf8')

mkdirSync(folder, { recursive: true })
after(() => rmSync(folder, { recursive: true, force: true }))

async function started() {
  const cluster = await EmbeddedCluster.start({ defaultPartitions: 1, schemaRegistry: true })
  const here = (text: string): string =>
    text
      .replaceAll('localhost:9092', cluster.bootstrapServers)
      .replaceAll('http://localhost:8081', cluster.schemaRegistryUrl)
  return { cluster, here }
}

test('the page is one program that does what it says', async () => {
  const { cluster, here } = await started()
  await using _ = cluster
  const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block = '']) => block)
  // Compiled: Node 20 does not parse `await using`.
  const program = new URL('program.mts', folder)
  writeFileSync(program, here(blocks.join('\n')))
  const args = ['--conditions=@ottla/source', '--import', 'tsx', fileURLToPath(program)]
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: fileURLToPath(root) })
  assert.equal(stderr, '')
  assert.deepEqual(stdout.trimEnd().split('\n'), [
    'avro: 12.50 on 1970-01-01T00:00:00.000Z',
    'protobuf: {"id":"p-1","cents":250}',
    'json: the value serializer failed for a message to events: the value does not match its schema: /at must match format "date-time"',
    'compatible: false: TYPE_CHANGED',
  ])
})

test('its commands do what they say', async () => {
  const { cluster, here } = await started()
  await using _ = cluster
  const [schema, value] = ['refund.avsc', 'refund.json'].map(name => fileURLToPath(new URL(name, folder)))
  writeFileSync(schema!, '{"type":"record","name":"Refund","fields":[{"name":"cents","type":"long"}]}')
  writeFileSync(value!, '{"cents":250}')
  const commands = [...page.matchAll(/```sh\nottla (.*)\n```/g)].map(([, words = '']) =>
    here(words).replace('refund.avsc', schema!).replace('refund.json', value!).split(' '),
  )
  assert.equal(commands.length, 4)
  const printed: string[] = []
  for (const command of commands) {
    const { status, out, err } = await finished(command)
    assert.equal(status, 0, err)
    printed.push(out)
  }
  const [produced, consumed = '', subjects, checked] = printed
  assert.equal(produced, '')
  const { payload, value_schema_id: id } = JSON.parse(consumed) as Record<string, unknown>
  assert.deepEqual([payload, id], [{ cents: 250 }, 1])
  assert.match(subjects ?? '', /refunds-value/)
  assert.match(checked ?? '', /yes/)
})
