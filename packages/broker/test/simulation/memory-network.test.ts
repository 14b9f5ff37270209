import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Dice } from '../../src/simulation/dice.ts'
import { MemoryNetwork } from '../../src/simulation/memory-network.ts'
import { VirtualTime } from '../../src/simulation/virtual-time.ts'
import type { NetworkSocket } from '../../src/base/network.ts'

interface End {
  readonly socket: NetworkSocket
  readonly received: Buffer[]
  readonly events: string[]
}

function watched(socket: NetworkSocket): End {
  const received: Buffer[] = []
  const events: string[] = []
  socket.on('data', (data: Buffer) => received.push(data))
  socket.on('end', () => events.push('end'))
  socket.on('error', (error: NodeJS.ErrnoException) => events.push(error.code ?? error.message))
  socket.on('close', () => events.push('close'))
  return { socket, received, events }
}

/** A server on `b`, and a connection to it from `a`. */
async function connected() {
  const time = new VirtualTime()
  const network = new MemoryNetwork(time, new Dice(1))
  const accepted: End[] = []
  const server = network.host('b').createServer(socket => accepted.push(watched(socket)))
  server.listen(9092, '10.0.0.2', () => undefined)
  const connect = (): End => watched(network.host('a').connect({ host: '10.0.0.2', port: 9092 }))
  const client = connect()
  await time.advance(10)
  const [other] = accepted
  assert.ok(other)
  return { time, network, server, connect, client, other, accepted }
}

const text = ({ received }: End): string => Buffer.concat(received).toString()

test('what is written arrives later, whole and in order, in chunks of any size', async () => {
  const { time, network, client, other } = await connected()
  network.setLink('a', 'b', { latencyMs: 50, jitterMs: 0, maxChunkBytes: 3 })
  client.socket.write('hello, ')
  client.socket.write('world')
  await time.advance(49)
  assert.equal(text(other), '')
  await time.advance(10)
  assert.equal(text(other), 'hello, world')
  assert.ok(other.received.length >= 4)
  assert.ok(other.received.every(chunk => chunk.length <= 3))
  client.socket.end()
  await time.advance(100)
  assert.deepEqual(
    [client.events, other.events],
    [
      ['end', 'close'],
      ['end', 'close'],
    ],
  )
  assert.deepEqual(network.connections, [])
})

test('a narrow link takes its time', async () => {
  const { time, network, client, other } = await connected()
  network.setLink('a', 'b', { latencyMs: 0, jitterMs: 0, bytesPerMs: 10 })
  client.socket.write(Buffer.alloc(1000))
  await time.advance(50)
  assert.ok(text(other).length <= 500)
  await time.advance(51)
  assert.equal(text(other).length, 1000)
})

test('a black hole keeps what is sent one way, until the way is open again', async () => {
  const { time, network, client, other } = await connected()
  network.setWay('a', 'b', 'black-hole')
  client.socket.write('there')
  other.socket.write('back')
  await time.advance(60_000)
  assert.deepEqual([text(other), text(client)], ['', 'back'])
  network.setWay('a', 'b', 'open')
  await time.advance(10)
  assert.equal(text(other), 'there')
})

test('a connection begins once the way is open', async () => {
  const { time, network, connect, accepted } = await connected()
  network.setWay('b', 'a', 'black-hole')
  let isOpen = false
  connect().socket.once('connect', () => (isOpen = true))
  await time.advance(5000)
  assert.equal(isOpen, false)
  network.heal()
  await time.advance(1100)
  assert.equal(isOpen, true)
  assert.equal(accepted.length, 2)
})

test('a connection is refused where nobody listens, and where it is told to be', async () => {
  const { time, network, server, connect } = await connected()
  network.setWay('a', 'b', 'refused')
  const refused = connect()
  await time.advance(10)
  network.heal()
  server.close()
  const unheard = connect()
  await time.advance(10)
  assert.deepEqual(
    [refused.events, unheard.events],
    [
      ['ECONNREFUSED', 'close'],
      ['ECONNREFUSED', 'close'],
    ],
  )
})

test('a cut resets both ends, and what is on its way is lost', async () => {
  const { time, network, client, other } = await connected()
  client.socket.write('lost')
  assert.equal(network.cut('a', 'b'), 1)
  await time.advance(10)
  assert.deepEqual(
    [client.events, other.events],
    [
      ['ECONNRESET', 'close'],
      ['ECONNRESET', 'close'],
    ],
  )
  assert.equal(text(other), '')
  assert.deepEqual(network.connections, [])
})

test('a connection may be cut at any byte', async () => {
  const { time, network, client, other } = await connected()
  const arrived: Buffer[] = []
  network.observe({ onArrival: (_from, _to, _connection, data) => arrived.push(data) })
  assert.equal(network.cutAfter(5, 'a', 'b'), 1)
  client.socket.write('hello, world')
  await time.advance(10)
  assert.equal(text(other), 'hello')
  assert.equal(Buffer.concat(arrived).toString(), 'hello')
  assert.deepEqual(
    [client.events, other.events],
    [
      ['ECONNRESET', 'close'],
      ['ECONNRESET', 'close'],
    ],
  )
})

test('an observer is told of what is sent, what arrives and what is closed', async () => {
  const { time, network, client } = await connected()
  const told: string[] = []
  const end = network.observe({
    onSent: (from, to, _connection, data) => told.push(`${from} > ${to} sent ${data.toString()}`),
    onArrival: (from, to, _connection, data) => told.push(`${from} > ${to} arrived ${data.toString()}`),
    onClosed: (host, peer) => told.push(`${host} closed to ${peer}`),
  })
  client.socket.write('hi')
  assert.deepEqual(told, ['a > b sent hi'])
  await time.advance(10)
  assert.equal(told.slice(1).join(' ').replaceAll('a > b arrived ', '').replaceAll(' ', ''), 'hi')
  const before = told.length
  client.socket.destroy()
  assert.deepEqual(told.slice(before), ['a closed to b'])
  await time.advance(10)
  assert.deepEqual(told.slice(before), ['a closed to b', 'b closed to a'])
  end()
  network.cut('a')
  assert.equal(told.length, before + 2)
})

test('nobody hears what arrives at a host that has vanished', async () => {
  const { time, network, other } = await connected()
  const arrived: string[] = []
  network.observe({ onArrival: (_from, _to, _connection, data) => arrived.push(data.toString()) })
  other.socket.write('is anybody there?')
  network.vanish('a')
  await time.advance(10)
  assert.deepEqual(arrived, [])
  other.socket.destroy()
  await time.advance(10)
})

test('a connection that is about to be cut stays when the network heals', async () => {
  const { time, network, client, other } = await connected()
  network.cutAfter(5, 'a', 'b')
  network.heal()
  client.socket.write('hello, world')
  await time.advance(10)
  assert.equal(text(other), 'hello, world')
  assert.deepEqual(client.events, [])
})

test('nobody is told that a host has vanished', async () => {
  const { time, network, client, other } = await connected()
  assert.equal(network.vanish('a'), 1)
  other.socket.write('is anybody there?')
  await time.advance(60_000)
  assert.deepEqual([client.events, other.events], [['close'], []])
  other.socket.destroy()
  await time.advance(10)
  assert.deepEqual(network.connections, [])
})

test('a host that is lost reaches nobody any more, whatever is healed', async () => {
  const { time, network, connect, client, accepted } = await connected()
  network.setWay('a', 'b', 'black-hole')
  const opening = connect()
  assert.equal(network.lose('a'), 1)
  network.setWay('a', 'b', 'open')
  network.heal()
  const again = connect()
  await time.advance(5000)
  assert.deepEqual(
    [client.events, opening.events, again.events],
    [['close'], ['ECONNREFUSED', 'close'], ['ECONNREFUSED', 'close']],
  )
  assert.equal(accepted.length, 1)
})

test('what a closed socket has written still arrives, and then its end', async () => {
  const { time, client, other } = await connected()
  client.socket.write('last words')
  client.socket.destroySoon()
  await time.advance(10)
  assert.equal(text(other), 'last words')
  assert.deepEqual(other.events, ['end', 'close'])
})

test('names change their addresses', async () => {
  const { time, network } = await connected()
  const found: string[] = []
  const look = (): void =>
    network.host('a').lookup('kafka', {}, (_error, addresses) => found.push(addresses.map(a => a.address).join(' ')))
  look()
  await time.advance(10)
  network.setAddresses('kafka', ['10.0.0.2', '10.0.0.3'])
  look()
  await time.advance(10)
  assert.deepEqual(found, ['kafka', '10.0.0.2 10.0.0.3'])
})

test('one port is bound once, and free after the server has closed', async () => {
  const { network, server } = await connected()
  const again = network.host('b').createServer(() => undefined)
  assert.throws(() => again.listen(9092, '10.0.0.2', () => undefined), /EADDRINUSE/)
  server.close()
  again.listen(9092, '10.0.0.2', () => undefined)
  again.close()
})
