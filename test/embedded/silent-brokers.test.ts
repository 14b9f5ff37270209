/** Addresses that take connections and say nothing: others are asked beside them. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { EmbeddedCluster } from '@ottla/broker'
import { ApiKey } from '@ottla/protocol'
import { AdminClient, Consumer, ErrorCode, OFFSET_BEGINNING, Producer, type ClientConfig } from 'ottla'
import { Authority } from '../harness/certificates.ts'

const quiet = { logger: (): void => undefined }
// Far below the ten and more seconds that a silent address costs by itself.
const SOON_MS = 8000

/** Accepts connections, and answers nothing, or no more than a broker's first answers. */
class Silence {
  readonly #server: Server
  readonly sockets = new Set<Socket>()

  private constructor(server: Server, behind: { readonly port: number; readonly answers: number } | null) {
    this.#server = server
    server.on('connection', socket => {
      this.sockets.add(socket)
      socket.resume().on('error', () => undefined)
      socket.once('close', () => this.sockets.delete(socket))
      if (behind === null) return
      const broker = connect(behind.port, '127.0.0.1').on('error', () => undefined)
      let answers = 0
      broker.on('data', data => {
        if (answers++ < behind.answers) socket.write(data)
      })
      socket.pipe(broker)
      socket.once('close', () => broker.destroy())
    })
  }

  static async listen(behind: { readonly port: number; readonly answers: number } | null = null): Promise<Silence> {
    const silence = new Silence(createServer().listen(0, '127.0.0.1'), behind)
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

for (const how of ['keeps silent', 'refuses connections'] as const) {
  test(`A broker whose connection was lost is asked again while the other ${how}`, async () => {
    await using pair = await EmbeddedCluster.start({ brokers: 2 })
    pair.createTopic('t', { partitions: 1 })
    pair.setCoordinator('group', 'g', 1)
    pair.setCoordinator('transaction', 'x', 1)
    pair.setLeader('t', 0, 1)
    // Connects to this one; of the other it only knows.
    const config = { 'bootstrap.servers': String(pair.bootstrapServers.split(',')[0]) }
    await using consumer = new Consumer({ ...config, 'group.id': 'g', 'auto.offset.reset': 'earliest' }, quiet)
    await using producer = new Producer({ ...config, 'transactional.id': 'x' }, quiet)
    await using admin = new AdminClient(config, quiet)
    await Promise.all([consumer.getMetadata(), producer.getMetadata(), admin.describeCluster()])
    if (how === 'keeps silent') pair.pauseBroker(2)
    else pair.refuseConnections(2)
    const cut = [ErrorCode.ERR__TRANSPORT]
    for (let i = 0; i < 2; i++) {
      pair.failNext(ApiKey.DescribeClientQuotas, cut)
      await admin.describeClientQuotas({}, { requestTimeoutMs: SOON_MS })
      pair.failNext(ApiKey.Metadata, cut)
      await consumer.getMetadata({ timeoutMs: SOON_MS })
      pair.failNext(ApiKey.FindCoordinator, cut)
      if (i === 0) await consumer.committed([{ topic: 't', partition: 0 }], SOON_MS)
      else await producer.initTransactions(SOON_MS)
    }
    await producer.transaction(tx => tx.send({ topic: 't', value: 'x' }))
    consumer.subscribe(['t'])
    assert.equal(String((await consumer.readMessage(SOON_MS)).value), 'x')
    pair.resumeBroker(2)
  })
}

test('An address that falls silent in any step of the handshake, or right after it, is not waited for', async () => {
  await using secured = await EmbeddedCluster.start({ sasl: { mechanisms: ['PLAIN'], users: { alice: 'secret' } } })
  const port = Number(secured.bootstrapServers.split(':')[1])
  for (const answers of [0, 1, 2, 3, 4]) {
    const silence = await Silence.listen({ port, answers })
    const config: ClientConfig = {
      'bootstrap.servers': `${silence.address},${secured.bootstrapServers}`,
      'security.protocol': 'sasl_plaintext',
      'sasl.mechanisms': 'PLAIN',
      'sasl.username': 'alice',
      'sasl.password': 'secret',
    }
    // Of two addresses either comes first.
    for (let i = 0; i < 4; i++) {
      const admin: AdminClient = new AdminClient(config, quiet)
      const producer = new Producer({ ...config, 'transactional.id': 't', 'message.timeout.ms': SOON_MS }, quiet)
      try {
        assert.equal((await admin.describeCluster({ requestTimeoutMs: SOON_MS })).nodes.length, 1)
        await producer.initTransactions(SOON_MS)
        await producer.transaction(tx => tx.send({ topic: 't', value: 'x' }))
      } finally {
        await Promise.all([producer.close(), admin.close()])
      }
    }
    for (const socket of silence.sockets) await once(socket, 'close')
    silence.close()
  }
})

for (const when of ['before', 'after'] as const) {
  test(`An address that falls silent ${when} the handshake of TLS is not waited for`, async () => {
    const authority = Authority.make('Silence')
    const { key, cert } = authority.issue({ subject: '/CN=broker', names: 'IP:127.0.0.1' })
    const sockets = new Set<Socket>()
    const silence = when === 'before' ? createServer() : createTlsServer({ key, cert })
    silence.on(when === 'before' ? 'connection' : 'secureConnection', (socket: Socket) => {
      sockets.add(socket.resume().on('error', () => undefined))
    })
    await once(silence.listen(0, '127.0.0.1'), 'listening')
    try {
      await using tls = await EmbeddedCluster.start({ tls: { key, cert } })
      tls.createTopic('t', { partitions: 1 })
      const address = `127.0.0.1:${(silence.address() as AddressInfo).port}`
      for (let i = 0; i < 3; i++) {
        const config = {
          'bootstrap.servers': `${address},${tls.bootstrapServers}`,
          'security.protocol': 'ssl',
          'ssl.ca.pem': authority.cert,
          'message.timeout.ms': SOON_MS,
        } as const
        await using producer = new Producer(config, quiet)
        assert.equal((await producer.send({ topic: 't', value: 'x' })).status, 'persisted')
      }
    } finally {
      for (const socket of sockets) socket.destroy()
      silence.close()
    }
  })
}
