/** Addresses that take connections and say nothing: others are asked beside them. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient, Consumer, OFFSET_BEGINNING, Producer } from 'ottla'

const quiet = { logger: (): void => undefined }
// Far below the ten and more seconds that a silent address costs by itself.
const SOON_MS = 8000

/** Accepts connections, and answers nothing. */
class Silence {
  readonly #server: Server
  readonly sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
    server.on('connection', socket => {
      this.sockets.add(socket)
      socket.resume().on('error', () => undefined)
      socket.once('close', () => this.sockets.delete(socket))
    })
  }

  static async listen(): Promise<Silence> {
    const silence = new Silence(createServer().listen(0, '127.0.0.1'))
    await once(silence.#server, 'listening')
    return silence
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy()
    this.#server.close()
  }
}

let cluster: EmbeddedCluster
const silent: Silence[] = []
let servers: string

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 3 })
  cluster.createTopic('t', { partitions: 1 })
  for (let i = 0; i < 3; i++) silent.push(await Silence.listen())
  servers = [...silent.map(({ address }) => address), cluster.bootstrapServers.split(',')[0]].join(',')
})

after(async () => {
  for (const each of silent) each.close()
  await cluster.close()
})

test('Every kind of client finds the one broker among bootstrap addresses that keep silent', async () => {
  for (let i = 0; i < 4; i++) {
    const config = { 'bootstrap.servers': servers }
    const producer = new Producer({ ...config, 'message.timeout.ms': SOON_MS }, quiet)
    const consumer = new Consumer({ ...config, 'group.id': `g${i}`, 'auto.offset.reset': 'earliest' }, quiet)
    const admin = new AdminClient(config, quiet)
    try {
      assert.equal((await producer.send({ topic: 't', value: 'x' })).status, 'persisted')
      const { nodes } = await admin.describeCluster({ requestTimeoutMs: SOON_MS })
      assert.equal(nodes.length, 3)
      await consumer.assign([{ topic: 't', partition: 0, offset: OFFSET_BEGINNING }])
      await consumer.readMessage(SOON_MS)
    } finally {
      await Promise.all([producer.close(), consumer.close(), admin.close()])
    }
  }
})

test('Connections that were not needed are closed', async () => {
  const admin = new AdminClient({ 'bootstrap.servers': servers }, quiet)
  try {
    await admin.describeCluster({ requestTimeoutMs: SOON_MS })
    for (const { sockets } of silent) for (const socket of sockets) await once(socket, 'close')
    assert.deepEqual(
      silent.map(({ sockets }) => sockets.size),
      [0, 0, 0],
    )
  } finally {
    await admin.close()
  }
})

test('A call that finds nothing but silence names the addresses, and close() does not wait for them', async () => {
  const addresses = silent.map(({ address }) => address)
  const admin = new AdminClient({ 'bootstrap.servers': addresses.join(',') }, quiet)
  const call = admin.describeCluster({ requestTimeoutMs: 1500 })
  await assert.rejects(call, (error: Error) => addresses.every(address => error.message.includes(address)))
  const cut = assert.rejects(admin.describeCluster())
  await admin.close()
  await cut
})

test('A broker that has fallen silent is not waited for by those that only want to know something', async () => {
  const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers }, quiet)
  const admin = new AdminClient({ 'bootstrap.servers': cluster.bootstrapServers }, quiet)
  try {
    await producer.send({ topic: 't', value: 'x' })
    await admin.describeCluster()
    cluster.pauseBroker(1)
    for (let i = 0; i < 5; i++) await admin.describeCluster({ requestTimeoutMs: SOON_MS })
  } finally {
    cluster.resumeBroker(1)
    await Promise.all([producer.close(), admin.close()])
  }
})
