/** Clients that send garbage, too much, too slowly or only half can neither bring a cluster down nor make it leak. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { ApiKey, BatchWriter, encodeRequest, Fetch, Metadata, Produce, apis, type Api } from '@ottla/protocol'
import { EmbeddedCluster } from '../../src/index.ts'
import { WireClient } from '../wire-client.ts'

let cluster: EmbeddedCluster
let internalErrors: string[] = []
const write = process.stderr.write.bind(process.stderr)

before(async () => {
  cluster = await EmbeddedCluster.start()
  cluster.createTopic('t', { partitions: 1 })
  // The cluster reports internal errors there.
  process.stderr.write = (chunk: string | Uint8Array): boolean => {
    if (String(chunk).includes('could not be handled')) internalErrors.push(String(chunk))
    return write(chunk)
  }
})

after(async () => {
  process.stderr.write = write
  await cluster.close()
})

async function raw(): Promise<Socket> {
  const [host = '', port = ''] = cluster.bootstrapServers.split(':')
  const socket = connect({ host, port: Number(port) })
  socket.on('error', () => undefined)
  await new Promise<void>(resolve => socket.once('connect', resolve))
  return socket
}

function closed(socket: Socket): Promise<void> {
  socket.resume()
  return new Promise(resolve => {
    if (socket.closed) resolve()
    else socket.once('close', () => resolve())
  })
}

async function stillServes(): Promise<void> {
  const client = await WireClient.connect(cluster.bootstrapServers)
  const { brokers } = await client.ask(Metadata, 9, { topics: null })
  assert.equal(brokers.length, 1)
  client.close()
  assert.deepEqual(internalErrors, [])
  internalErrors = []
}

function framed(body: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

test('a client that sends garbage is hung up on', async () => {
  for (const garbage of [
    Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0]),
    Buffer.from([0x7f, 0xff, 0xff, 0xff]),
    framed(Buffer.alloc(0)),
    framed(Buffer.alloc(3)),
    framed(randomBytes(100)),
  ]) {
    const socket = await raw()
    socket.write(garbage)
    await closed(socket)
  }
  await stillServes()
})

test('an oversized frame is refused before memory is reserved for it', async () => {
  const socket = await raw()
  const size = Buffer.alloc(4)
  size.writeInt32BE(104_857_601)
  socket.write(size)
  await closed(socket)
  await stillServes()
})

test('many clients that announce large frames and send little are cut off, and others are served', async () => {
  const sockets: Socket[] = []
  const size = Buffer.alloc(5)
  size.writeInt32BE(100_000_000)
  const resident = process.memoryUsage().rss
  for (let i = 0; i < 20; i++) {
    const socket = await raw()
    socket.write(size)
    sockets.push(socket)
  }
  await Promise.race(sockets.map(closed))
  await stillServes()
  assert.ok(process.memoryUsage().rss - resident < 100_000_000)
  for (const socket of sockets) socket.destroy()
})

test('a client that stops or disconnects in the middle of a request harms nobody', async () => {
  const [whole = Buffer.alloc(0)] = encodeRequest(Metadata, 9, 1, 'half', { topics: null })
  for (const bytes of [1, 3, 4, 5, 11, whole.length - 1]) {
    const socket = await raw()
    socket.write(whole.subarray(0, bytes))
    await stillServes()
    socket.destroy()
  }
  await stillServes()
})

test('requests that are truncated, extended or mutated are answered or hung up on, without an internal error', async () => {
  let seed = 12345
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  for (const { key, minVersion, maxVersion } of apis) {
    for (let round = 0; round < 6; round++) {
      const version = minVersion + random(maxVersion - minVersion + 1)
      const header = Buffer.alloc(12)
      header.writeInt16BE(key, 0)
      header.writeInt16BE(version, 2)
      header.writeInt32BE(round, 4)
      header.writeInt16BE(1, 8)
      header.write('x', 10)
      const body = Buffer.alloc(random(60))
      for (let i = 0; i < body.length; i++) body[i] = random(3) === 0 ? random(256) : 0
      const socket = await raw()
      const answered = new Promise<void>(resolve => socket.once('data', () => resolve()))
      socket.write(framed(Buffer.concat([header, body])))
      socket.end()
      await Promise.race([answered, closed(socket)])
      socket.destroy()
    }
  }
  await stillServes()
})

test('nothing more is read from a client that does not read its responses', async () => {
  const filler = await WireClient.connect(cluster.bootstrapServers)
  const writer = new BatchWriter()
  writer.append('k', Buffer.alloc(900_000), null, 1000)
  const records = Buffer.from(writer.seal({}))
  for (let i = 0; i < 10; i++) {
    const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }]
    await filler.ask(Produce, 9, { acks: -1, timeoutMs: 1000, topicData })
  }
  filler.close()
  const socket = await raw()
  socket.pause()
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 50_000_000 }]
  const body = { maxWaitMs: 0, minBytes: 0, topics: [{ topic: 't', partitions }] }
  // Each announces nine megabytes, two gigabytes in total.
  cluster.requests('start')
  for (let i = 0; i < 220; i++) for (const chunk of encodeRequest(Fetch, 11, i, 'slow', body)) socket.write(chunk)
  let before = -1
  for (let served = 0; served !== before; served = cluster.requests().length) {
    before = served
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  assert.ok(before > 0 && before < 40, `${before} answers were made for a client that reads none`)
  cluster.requests('stop')
  await stillServes()
  socket.destroy()
})

test('thousands of requests at once are answered in order', async () => {
  const client = await WireClient.connect(cluster.bootstrapServers)
  const api: Api<unknown, unknown> = Metadata as unknown as Api<unknown, unknown> // any will do
  const answers = await Promise.all(Array.from({ length: 5000 }, () => client.ask(api, 9, { topics: [] })))
  assert.equal(answers.length, 5000)
  client.close()
})

test('two hundred clients and a thousand topics', async () => {
  for (let i = 0; i < 1000; i++) cluster.createTopic(`many-${i}`, { partitions: 3 })
  const clients = await Promise.all(Array.from({ length: 200 }, () => WireClient.connect(cluster.bootstrapServers)))
  const told = await Promise.all(
    clients.map((client, i) => client.ask(Metadata, 9, { topics: i % 10 === 0 ? null : [] })),
  )
  assert.ok(told.every(({ topics }, i) => (i % 10 === 0 ? topics.length >= 1000 : topics.length === 0)))
  for (const client of clients) client.close()
  await stillServes()
})

test('unsupported requests are hung up on', async () => {
  for (const key of [-1, 4, 5, 6, 7, 999, ApiKey.Produce]) {
    const header = Buffer.alloc(10)
    header.writeInt16BE(key, 0)
    header.writeInt16BE(key === ApiKey.Produce ? 99 : 0, 2)
    header.writeInt16BE(-1, 8)
    const socket = await raw()
    socket.write(framed(header))
    await closed(socket)
  }
  await stillServes()
})
