import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codecByName, type CompressionCodec } from '@ottla/protocol'
import { makeWorld, settle, type World } from '../world.ts'

const gzip = codecByName('gzip')

/** gzip on a thread that the test controls. */
function threads(): { codec: CompressionCodec; underWay: (() => void)[]; finish: () => Promise<void> } {
  const underWay: (() => void)[] = []
  const compressBeside = (data: Uint8Array, level?: number): Promise<Buffer> =>
    new Promise(resolve => underWay.push(() => resolve(gzip.compress(data, level))))
  return {
    codec: { ...gzip, compressBeside },
    underWay,
    async finish() {
      underWay.shift()?.()
      await settle()
    },
  }
}

/** A message of 20,000 bytes: large enough for a thread. */
function large(put: World['put'], partition: number, letter: string): void {
  put({ topic: 't', partition, value: letter.repeat(20_000) })
}

const letters = (values: Record<string, string[]>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([partition, list]) => [partition, list.map(v => v[0]).join('')]))

test('a large batch is compressed on another thread, and sent when that is done', async () => {
  const { codec, underWay, finish } = threads()
  const { cluster, put } = makeWorld({ 'linger.ms': 0 }, undefined, codec)
  cluster.topic('t', [1])
  large(put, 0, 'a')
  await settle()
  assert.equal(underWay.length, 1)
  assert.equal(cluster.unseen, 0)
  // Messages that come in the meantime are in another batch.
  large(put, 0, 'b')
  await settle()
  assert.equal(underWay.length, 1, 'one batch of a partition at a time')
  await finish()
  const first = cluster.next()
  assert.deepEqual(letters(first.values), { 't/0': 'a' })
  assert.equal(first.batch(0).codecId, gzip.id)
  first.ok(0)
  await settle()
  await finish()
  assert.deepEqual(letters(cluster.next().values), { 't/0': 'b' })
})

test('a small one is compressed at once', async () => {
  const { codec, underWay } = threads()
  const { cluster, put } = makeWorld({ 'linger.ms': 0 }, undefined, codec)
  cluster.topic('t', [1])
  for (let i = 0; i < 10; i++) put({ topic: 't', partition: 0, value: 'x'.repeat(100) })
  await settle()
  assert.equal(underWay.length, 0)
  assert.equal(cluster.next().batch(0).codecId, gzip.id)
})

test('at most three threads are used, and the other partitions follow', async () => {
  const { codec, underWay, finish } = threads()
  const { cluster, put } = makeWorld({ 'linger.ms': 0 }, undefined, codec)
  cluster.topic('t', [1, 1, 2, 2, 3])
  for (let i = 0; i < 5; i++) large(put, i, String(i))
  await settle()
  assert.equal(underWay.length, 3)
  const seen: string[] = []
  for (let i = 0; i < 5; i++) {
    await finish()
    const request = cluster.next()
    seen.push(...request.partitions)
    request.ok()
    await settle()
  }
  assert.deepEqual(seen.sort(), ['t/0', 't/1', 't/2', 't/3', 't/4'])
})

test('messages that time out during compression are reported so, and the next ones are sent', async () => {
  const { codec, underWay, finish } = threads()
  const { cluster, clock, put, outcomes } = makeWorld({ 'linger.ms': 0, 'message.timeout.ms': 1000 }, undefined, codec)
  cluster.topic('t', [1])
  large(put, 0, 'a')
  await settle()
  await clock.advance(2000)
  assert.deepEqual(Object.keys(outcomes()), ['ERR__MSG_TIMED_OUT'])
  large(put, 0, 'b')
  await settle()
  assert.equal(underWay.length, 2)
  await finish()
  assert.equal(cluster.unseen, 0)
  await finish()
  assert.deepEqual(letters(cluster.next().values), { 't/0': 'b' })
})

test('messages purged during compression are reported once and never sent', async () => {
  const { codec, finish } = threads()
  const { cluster, pipeline, put, outcomes } = makeWorld({ 'linger.ms': 0 }, undefined, codec)
  cluster.topic('t', [1])
  large(put, 0, 'a')
  await settle()
  pipeline.purge(true, false)
  await settle()
  assert.deepEqual(Object.keys(outcomes()), ['ERR__PURGE_QUEUE'])
  await finish()
  assert.equal(cluster.unseen, 0)
  large(put, 0, 'b')
  await settle()
  await finish()
  assert.deepEqual(letters(cluster.next().values), { 't/0': 'b' })
})

test('idempotent batches keep their order and their sequence, retries included', async () => {
  const { codec, finish } = threads()
  const { cluster, clock, put, ids } = makeWorld({ 'linger.ms': 0, 'enable.idempotence': true }, undefined, codec)
  cluster.topic('t', [1])
  large(put, 0, 'a')
  await settle()
  ids[0]?.answer(0, 7n, 0)
  await settle()
  await finish()
  const first = cluster.next()
  assert.deepEqual(first.batch(0).baseSequence, 0)
  large(put, 0, 'b')
  await settle()
  first.fail(-195, true)
  await finish()
  await clock.advance(2000)
  const again = cluster.next()
  assert.deepEqual(letters(again.values), { 't/0': 'a' })
  assert.equal(again.batch(0).baseSequence, 0)
  again.ok(0)
  await settle()
  await finish()
  const second = cluster.next()
  assert.deepEqual(letters(second.values), { 't/0': 'b' })
  assert.equal(second.batch(0).baseSequence, 1)
})

test('a batch that is too large for the broker is halved, and each half compressed', async () => {
  const { codec, finish, underWay } = threads()
  const { cluster, put, reports } = makeWorld({ 'linger.ms': 0 }, undefined, codec)
  cluster.topic('t', [1])
  for (const letter of 'abcd') large(put, 0, letter)
  await settle()
  await finish()
  cluster.next().error(10)
  let seen = ''
  for (let i = 0; i < 2; i++) {
    await settle()
    while (underWay.length > 0) await finish()
    const request = cluster.next()
    seen += letters(request.values)['t/0'] ?? ''
    request.ok(i * 2)
  }
  await settle()
  assert.equal(seen, 'abcd')
  assert.deepEqual(
    reports.map(({ offset }) => offset),
    [0, 1, 2, 3],
  )
})
