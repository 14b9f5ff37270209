/** `ottla replay`: a recording is shown, and its brokers are played. */
import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { ErrorCode, Producer, wireRecording } from 'ottla'
import { finished, ottla, type Running } from './cli-terminal.ts'

let folder: string
let file: string

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ottla-replay-'))
  file = join(folder, 'orders.jsonl')
  await using cluster = await EmbeddedCluster.start({ brokers: 2, defaultPartitions: 1 })
  using record = wireRecording(file)
  const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'client.id': 'alice' }, { record })
  await producer.send({ topic: 'orders', value: 'hello' })
  cluster.failNext(0, [ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED])
  await producer.send({ topic: 'orders', value: 'hello' }).catch(() => undefined)
  await producer.close()
})

after(() => rmSync(folder, { recursive: true }))

test('replay prints what happened, a line for each event', async () => {
  const { status, out, err } = await finished(['replay', file])
  assert.equal(status, 0)
  assert.equal(err, '')
  assert.match(out, /^recorded by ottla [\d.]+ from \S+ on, contents are masked; times in ms\n\n/)
  assert.match(out, /^ *\d+\.\d{3} {2}alice > broker \d +Produce v\d+ #\d+\.\d+ {2}acks=-1 {2}orders\[0\] 1 record$/m)
  assert.match(
    out,
    /^ *\d+\.\d{3} {2}broker \d > alice +Produce v\d+ #\d+\.\d+ {2}orders\[0\] offset 0 {2}\(\d+\.\d ms\)$/m,
  )
})

test('with --json, programs can read it', async () => {
  const { out } = await finished(['replay', '--json', file])
  const events = out
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { api?: string; event: string })
  assert.ok(events.some(({ api, event }) => api === 'Produce' && event === 'response'))
})

test('what is not there, or no recording, is wrong usage', async () => {
  const missing = await finished(['replay', join(folder, 'none')])
  assert.deepEqual([missing.status, missing.out], [2, ''])
  assert.match(missing.err, /^ottla replay: .*none: ENOENT/)
  const other = join(folder, 'other')
  writeFileSync(other, '{}\n')
  const wrong = await finished(['replay', other])
  assert.equal(wrong.status, 2)
  assert.match(wrong.err, /other: it is not a recording: its first line does not say so\n$/)
  assert.equal((await finished(['replay', file, '--as', 'zookeeper'])).status, 2)
  assert.equal((await finished(['replay', file, '--as', 'broker', '--speed', '0'])).status, 2)
})

test('a recording that was cut off is shown up to there', async () => {
  const cut = join(folder, 'cut')
  writeFileSync(cut, '{"ottla":"wire recording","version":1,"startedAt":"now","by":"ottla","payloads":"mask"}\n')
  appendFileSync(cut, '{"ms":1,"event":"op')
  const { status, err } = await finished(['replay', cut])
  assert.equal(status, 0)
  assert.equal(err, '% the last line of the recording is incomplete, it is left out\n')
})

/** Where to bring a client. */
async function bootstrapOf(running: Running): Promise<string> {
  await running.printed('bootstrap.servers=')
  return /^bootstrap\.servers=(\S+)$/m.exec(running.out())?.[1] ?? ''
}

test('a client of the replayed brokers gets what the recorded one got: an offset, then an error', async () => {
  const running = ottla('replay', file, '--as', 'broker', '--speed', 'max')
  const servers = await bootstrapOf(running)
  const producer = new Producer({ 'bootstrap.servers': servers, 'client.id': 'bob' })
  const report = await producer.send({ topic: 'orders', value: 'something else' })
  assert.equal(report.offset, 0)
  await assert.rejects(producer.send({ topic: 'orders', value: 'x' }), {
    code: ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED,
  })
  await producer.close()
  running.interrupt()
  assert.equal(await running.done, 0)
  assert.match(
    running.out(),
    /^broker \d {2}Produce v\d+ {2}acks=-1 {2}orders\[0\] 1 record {2}answered as on connection \d/m,
  )
  assert.match(running.err(), /^% \d+ of the \d+ recorded requests were made$/m)
})
