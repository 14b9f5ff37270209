/** The commands of docs/recording.md, in their order. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { Producer } from 'ottla'
import { finished, ottla, type Running } from './cli-terminal.ts'

const page = readFileSync(new URL('../../docs/recording.md', import.meta.url), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'ottla-page-'))
after(() => rmSync(folder, { recursive: true }))

/** The arguments of the page's commands, for this cluster and for free ports. */
function commands(bootstrapServers: string): string[][] {
  return [...page.matchAll(/```sh\nottla (.*)\n```/g)].map(([, words = '']) =>
    words
      .replace('localhost:9092', bootstrapServers)
      .replace(/--(listen|port) \d+/, '--$1 0')
      .replace('bug.jsonl', join(folder, 'bug.jsonl'))
      .split(' '),
  )
}

/** Produces one message by way of a command that listens, which ends then. */
async function throughIt(running: Running): Promise<void> {
  await running.printed('bootstrap.servers=')
  const servers = /^bootstrap\.servers=(\S+)$/m.exec(running.out())?.[1] ?? ''
  const producer = new Producer({ 'bootstrap.servers': servers, 'client.id': 'alice' })
  assert.equal((await producer.send({ topic: 'orders', value: 'hello' })).offset, 0)
  await producer.close()
  running.interrupt()
  assert.equal(await running.done, 0)
}

test('what the page shows works: record, show, replay to a client, ask another cluster', async () => {
  await using cluster = await EmbeddedCluster.start({ brokers: 2, defaultPartitions: 1 })
  await using other = await EmbeddedCluster.start({ brokers: 2, defaultPartitions: 1 })
  const [record = [], show = [], asBroker = []] = commands(cluster.bootstrapServers)
  const [, , , asClient = [], ...more] = commands(other.bootstrapServers)
  assert.deepEqual(more, [])
  await throughIt(ottla(...record))
  const shown = await finished(show)
  assert.match(shown.out, /alice > broker \d {2}Produce v\d+ #\d\.\d {2}acks=-1 {2}orders\[0\] 1 record/)
  await throughIt(ottla(...asBroker))
  const asked = await finished(asClient)
  assert.deepEqual([asked.status, asked.err.includes(' 0 differ')], [0, true], asked.out)
})
