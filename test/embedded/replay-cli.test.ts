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

test('brokers that answer as recorded differ in nothing; those that do not are shown, with status 1', async () => {
  await using other = await EmbeddedCluster.start({ brokers: 2, defaultPartitions: 1 })
  const requests = ['replay', file, '--as', 'client', '-b', other.bootstrapServers]
  other.failNext(0, [0, ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED])
  const first = await finished(requests)
  assert.match(first.out, /^= broker \d {2}Produce v\d+ {2}orders\[0\] offset 0$/m)
  assert.match(first.err, /^% \d+ answers compared, 0 differ from the recording$/m, first.out)
  assert.equal(first.status, 0)
  const second = await finished(requests)
  assert.equal(second.status, 1)
  assert.match(second.out, /^! broker \d {2}Produce v\d+ {2}orders\[0\] offset 1$/m)
  assert.match(second.out, /^ {4}responses\[\S+\]\.partitionResponses\[0\]\.baseOffset: 0 recorded, 1 now$/m)
  assert.match(second.out, /errorCode: ERR_TOPIC_AUTHORIZATION_FAILED recorded, ERR_NO_ERROR now$/m)
})

test('to ask brokers, they have to be given, and to be there', async () => {
  const none = await finished(['replay', file, '--as', 'client'])
  assert.deepEqual([none.status, none.out], [2, ''])
  assert.match(none.err, /give the brokers to ask with -b HOST:PORT/)
  const down = await finished(['replay', file, '--as', 'client', '-b', '127.0.0.1:1'])
  assert.equal(down.status, 1)
  assert.match(down.err, /^ottla replay: cannot connect to 127\.0\.0\.1:1/)
})

test('log-ins are left out, since their passwords are not in the recording', async () => {
  const sasl = { mechanisms: ['PLAIN' as const], users: { alice: 'alicepassword' } }
  await using secured = await EmbeddedCluster.start({ brokers: 1, sasl })
  const secret = join(folder, 'secured.jsonl')
  using record = wireRecording(secret)
  const config = { 'security.protocol': 'sasl_plaintext', 'sasl.mechanisms': 'PLAIN' } as const
  const user = { 'sasl.username': 'alice', 'sasl.password': 'alicepassword' }
  const producer = new Producer({ 'bootstrap.servers': secured.bootstrapServers, ...config, ...user }, { record })
  await producer.getMetadata({ allTopics: true })
  await producer.close()
  record.close()
  await using open = await EmbeddedCluster.start({ brokers: 1 })
  const { status, err } = await finished(['replay', secret, '--as', 'client', '-b', open.bootstrapServers])
  assert.match(err, /^% log-ins were left out/m)
  assert.equal(status, 0)
})

test('commands record themselves with --record', async () => {
  await using cluster = await EmbeddedCluster.start({ brokers: 1 })
  const own = join(folder, 'meta.jsonl')
  const meta = await finished(['meta', '-b', cluster.bootstrapServers, '--record', own])
  assert.equal(meta.status, 0, meta.err)
  assert.match((await finished(['replay', own])).out, /Metadata v\d+ #1\.\d+ {2}/)
  const bench = ['bench', 'produce', '-b', cluster.bootstrapServers, '-t', 'measured', '-c', '10', '--record', own]
  assert.equal((await finished(bench)).status, 0)
  assert.match((await finished(['replay', own])).out, /Produce v\d+ .* measured\[\d\]/)
  const refused = await finished(['meta', '-b', cluster.bootstrapServers, '--record', join(folder, 'no', 'such')])
  assert.equal(refused.status, 2)
  assert.match(refused.err, /cannot record to/)
})
