/** The examples of docs/typescript.md, run as one program. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { EmbeddedCluster } from '@ottla/broker'

const root = new URL('../../', import.meta.url)
// Below the root, so that the packages are found; git takes no notice of it.
const folder = new URL(`node_modules/.cache/page-${process.pid}/`, root)
const program = new URL('program.mts', folder)

after(() => rmSync(folder, { recursive: true, force: true }))

/** The page's programs as one module: what they import comes first, whatever it is called twice. */
function programOf(page: string, bootstrapServers: string): string {
  const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block = '']) => block)
  return blocks.join('\n').replaceAll('localhost:9092', bootstrapServers)
}

test('the page is one program that does what it says', async () => {
  await using cluster = await EmbeddedCluster.start({ defaultPartitions: 1 })
  for (const topic of ['orders', 'audit']) cluster.createTopic(topic, { partitions: 1 })
  mkdirSync(folder, { recursive: true })
  const page = readFileSync(new URL('docs/typescript.md', root), 'utf8')
  writeFileSync(program, programOf(page, cluster.bootstrapServers))
  const args = ['--conditions=@ottla/source', '--import', 'tsx', fileURLToPath(program)]
  const env = { ...process.env, KAFKA_BOOTSTRAP_SERVERS: cluster.bootstrapServers }
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: fileURLToPath(root), env })
  assert.equal(stderr, '')
  assert.equal(stdout, 'audit: AN ORDER OF CUSTOMER-7\ncustomer-7 owes 12\n0 messages wait\n')
})
