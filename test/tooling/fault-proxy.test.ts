import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import assert from 'node:assert/strict'
import { FaultProxy } from '../harness/fault-proxy.ts'

let server: Server
let proxy: FaultProxy
/** What each connection has brought to the server. */
let received: string[]
let clients: Socket[]

before(async () => {
  server = createServer(socket => {
    const index = received.push('') - 1
    socket.on('error', () => undefined)
    socket.on('data', chunk => {
      received[index] += String(chunk)
      socket.write(chunk)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})

after(() => server.close())

beforeEach(async () => {
  received = []
  clients = []
  proxy = await FaultProxy.start((server.address() as AddressInfo).port)
})

afterEach(async () => {
  for (const client of clients) client.destroy()
  await proxy.close()
})

interface Client {
  readonly socket: Socket
  readonly answers: () => string
  /** Resolves when the answers are this long, or with `cut`. */
  until(length: number): Promise<string>
}

async function client(): Promise<Client> {
  const socket = connect(proxy.port, '127.0.0.1')
  clients.push(socket)
  let answers = ''
  let isClosed = false
  const closed = new Promise<void>(resolve => {
    // Node sends the end before the reset: which of them is seen is a matter of time.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      isClosed = true
      resolve()
    })
  })
  socket.on('data', chunk => {
    answers += String(chunk)
  })
  const next = (event: string): Promise<unknown> =>
    Promise.race([closed, new Promise<void>(resolve => socket.once(event, () => resolve()))])
  await next('connect')
  const until = async (length: number): Promise<string> => {
    while (answers.length < length && !isClosed) await next('data')
    return answers.length < length ? 'cut' : answers
  }
  return { socket, answers: () => answers, until }
}

test('everything passes in both directions until a fault is asked for', async () => {
  const one = await client()
  one.socket.write('hello')
  assert.equal(await one.until(5), 'hello')
  const large = 'x'.repeat(1_000_000)
  one.socket.write(large)
  assert.equal((await one.until(1_000_005)).length, 1_000_005)
  assert.equal(proxy.connections, 1)
})

test('a connection is cut within a request, whose first bytes arrive', async () => {
  const one = await client()
  const happened = proxy.cutAfter('requests', 7)
  one.socket.write('hello')
  assert.equal(await one.until(5), 'hello')
  one.socket.write('world')
  await happened
  assert.equal(await one.until(10), 'cut')
  assert.deepEqual(received, ['hellowo'])
  const other = await client()
  other.socket.write('again')
  assert.equal(await other.until(5), 'again')
})

test('a connection is cut within an answer: the request has arrived', async () => {
  const one = await client()
  const happened = proxy.cutAfter('answers', 3)
  one.socket.write('hello')
  await happened
  assert.equal(await one.until(5), 'cut')
  assert.equal(one.answers(), 'hel')
  assert.deepEqual(received, ['hello'])
})

test('what is delayed arrives in order, and at once when the delay is ended', async () => {
  const one = await client()
  proxy.delay('requests', 60_000)
  one.socket.write('a')
  one.socket.write('b')
  const other = await client()
  proxy.open()
  other.socket.write('c')
  assert.equal(await other.until(1), 'c')
  assert.equal(await one.until(2), 'ab')
})

test('while it is silent nothing passes, on new connections either; then everything does', async () => {
  const one = await client()
  proxy.silence()
  const other = await client()
  one.socket.write('a')
  other.socket.write('b')
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(received.join(''), '')
  proxy.open()
  assert.equal(await one.until(1), 'a')
  assert.equal(await other.until(1), 'b')
})

test('refusing, it resets old and new connections', async () => {
  const one = await client()
  proxy.refuse()
  assert.equal(await one.until(1), 'cut')
  const other = await client()
  assert.equal(await other.until(1), 'cut')
  proxy.open()
  const third = await client()
  third.socket.write('a')
  assert.equal(await third.until(1), 'a')
})

test('the end of one side reaches the other', async () => {
  const one = await client()
  one.socket.end('bye')
  assert.equal(await one.until(3), 'bye')
  if (!one.socket.destroyed) await once(one.socket, 'close')
  while (proxy.connections > 0) await new Promise(resolve => setImmediate(resolve))
})
