/** Idle connections are cut by the cluster's clock, but not those that wait for a response. */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, test } from 'node:test'
import { BatchWriter, CreateTopics, encodeRequest, Fetch, ListGroups, Metadata, Produce } from '@ottla/protocol'
import { EmbeddedCluster } from '../../src/index.ts'
import { FakeClock } from '../fake-clock.ts'
import { WireClient } from '../wire-client.ts'

const IDLE_MS = 600_000

let clock: FakeClock
let cluster: EmbeddedCluster

beforeEach(async () => {
  clock = new FakeClock()
  cluster = await EmbeddedCluster.start({ clock, maxIdleMs: IDLE_MS })
})

afterEach(() => cluster.close())

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

function raw(): Socket {
  const [host = '', port = ''] = cluster.bootstrapServers.split(':')
  const socket = connect({ host, port: Number(port) })
  socket.on('error', () => undefined)
  return socket
}

/** Advances time until a condition holds. */
async function passUntil(isSo: () => boolean): Promise<number> {
  const from = clock.now()
  while (!isSo()) {
    clock.advance(1000)
    await turn()
  }
  return clock.now() - from
}

test('a connection that stops in the middle of a request is cut off', async () => {
  const client = await WireClient.connect(cluster.bootstrapServers)
  assert.equal((await client.ask(ListGroups, 2, {})).errorCode, 0)
  const [whole = Buffer.alloc(0)] = encodeRequest(Metadata, 9, 1, 'half', { topics: null })
  client.write(whole.subarray(0, whole.length - 1))
  let isClosed = false
  void client.closed.then(() => (isClosed = true))
  assert.ok((await passUntil(() => isClosed)) >= IDLE_MS)
})

test('a connection in use stays', async () => {
  const client = await WireClient.connect(cluster.bootstrapServers)
  for (let i = 0; i < 5; i++) {
    assert.equal((await client.ask(ListGroups, 2, {})).errorCode, 0)
    clock.advance(IDLE_MS - 1)
  }
  assert.equal((await client.ask(ListGroups, 2, {})).errorCode, 0)
  client.close()
})

test('a client that waits for a response is not idle', async () => {
  const client = await WireClient.connect(cluster.bootstrapServers)
  cluster.pauseBroker(1)
  cluster.requests('start')
  const answer = client.ask(ListGroups, 2, {})
  while (cluster.requests().length === 0) await turn()
  clock.advance(3 * IDLE_MS)
  cluster.resumeBroker(1)
  assert.equal((await answer).errorCode, 0)
  client.close()
})

test('a client that does not read its responses is cut off', async () => {
  cluster.createTopic('t', { partitions: 1 })
  const filler = await WireClient.connect(cluster.bootstrapServers)
  const writer = new BatchWriter()
  writer.append('k', Buffer.alloc(900_000), null, clock.now())
  const topicData = [{ name: 't', partitionData: [{ index: 0, records: Buffer.from(writer.seal({})) }] }]
  for (let i = 0; i < 10; i++) await filler.ask(Produce, 9, { acks: -1, timeoutMs: 1000, topicData })
  const socket = raw()
  socket.pause()
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 50_000_000 }]
  const body = { maxWaitMs: 0, minBytes: 0, topics: [{ topic: 't', partitions }] }
  cluster.requests('start')
  for (let i = 0; i < 10; i++) for (const chunk of encodeRequest(Fetch, 11, i, 'slow', body)) socket.write(chunk)
  while (cluster.requests().length === 0) await turn()
  // The timers of both connections are gone, too.
  const before = clock.pending
  await passUntil(() => clock.pending <= before - 2 || cluster.requests().length === 10)
  assert.ok(cluster.requests().length < 10, 'all was made for a client that takes none')
  socket.destroy()
  filler.close()
})

test('no request after a refused one is carried out', async () => {
  const socket = raw()
  const topics = [{ name: 'late', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
  const unknown = Buffer.from([0, 0, 0, 10, 0x7f, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff])
  socket.write(Buffer.concat([unknown, ...encodeRequest(CreateTopics, 7, 2, 'late', { topics, timeoutMs: 1000 })]))
  socket.resume()
  await new Promise(resolve => socket.once('close', resolve))
  const client = await WireClient.connect(cluster.bootstrapServers)
  const answer = await client.ask(Metadata, 9, { topics: null })
  assert.deepEqual(answer.topics, [])
  client.close()
})
