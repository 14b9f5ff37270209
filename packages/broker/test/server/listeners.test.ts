/** Several listeners at once, each telling its clients its own addresses. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DescribeCluster, DescribeConfigs, ErrorCode, FindCoordinator, Metadata } from '@ottla/protocol'
import { EmbeddedCluster, type EmbeddedClusterOptions, type ListenerOptions } from '../../src/index.ts'
import { handshake, plain } from '../security/sasl/log-in.ts'
import { WireClient } from '../wire-client.ts'

const users = { alice: 'secret' }
const internal: ListenerOptions = { name: 'INTERNAL', protocol: 'PLAINTEXT' }
const outside: ListenerOptions = {
  name: 'OUTSIDE',
  protocol: 'SASL_PLAINTEXT',
  advertisedHost: 'kafka.example',
  advertisedPort: 19_092,
  sasl: { mechanisms: ['PLAIN'], users },
}

test('each listener tells its clients its own addresses', async () => {
  await using cluster = await EmbeddedCluster.start({ brokers: 2, listeners: [internal, outside] })
  const inner = cluster.listener('INTERNAL')
  assert.equal(inner, cluster.bootstrapServers)
  assert.equal(cluster.listener('OUTSIDE'), 'kafka.example:19092,kafka.example:19093')
  await using inside = await client(inner)
  const { brokers } = await inside.ask(Metadata, 12, { topics: [] })
  assert.equal(brokers.map(({ host, port }) => `${host}:${port}`).join(','), inner)
  const { brokers: described } = await inside.ask(DescribeCluster, 1, { includeClusterAuthorizedOperations: false })
  assert.equal(described.map(({ host, port }) => `${host}:${port}`).join(','), inner)

  const port = await listeningPort(inside, 'OUTSIDE')
  await using out = await client(`127.0.0.1:${port}`)
  assert.equal((await plain(out, 'alice', 'secret')).errorCode, 0)
  const seen = await out.ask(Metadata, 12, { topics: [] })
  assert.deepEqual(
    seen.brokers.map(broker => [broker.nodeId, broker.host, broker.port]),
    [
      [1, 'kafka.example', 19_092],
      [2, 'kafka.example', 19_093],
    ],
  )
  const { coordinators } = await out.ask(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
  assert.equal(coordinators[0]?.host, 'kafka.example')
})

test('each listener has mechanisms of its own', async () => {
  await using cluster = await EmbeddedCluster.start({
    sasl: { mechanisms: ['PLAIN'], users },
    listeners: [
      { name: 'A', protocol: 'SASL_PLAINTEXT' },
      { name: 'B', protocol: 'SASL_PLAINTEXT', sasl: { mechanisms: ['SCRAM-SHA-256'] } },
      { name: 'C', protocol: 'PLAINTEXT' },
    ],
  })
  await using a = await client(cluster.listener('A'))
  assert.equal(await handshake(a, 'PLAIN'), ErrorCode.ERR_NO_ERROR)
  await using b = await client(cluster.listener('B'))
  assert.equal(await handshake(b, 'PLAIN'), ErrorCode.ERR_UNSUPPORTED_SASL_MECHANISM)
  await using again = await client(cluster.listener('B'))
  assert.equal(await handshake(again, 'SCRAM-SHA-256'), ErrorCode.ERR_NO_ERROR)
  await using c = await client(cluster.listener('C'))
  assert.equal((await c.ask(Metadata, 12, { topics: [] })).brokers.length, 1)
})

test('a broker that goes down, comes back, moves or is added takes all of its listeners along', async () => {
  await using cluster = await EmbeddedCluster.start({
    listeners: [internal, { name: 'OTHER', protocol: 'PLAINTEXT' }],
  })
  const before = cluster.listener('OTHER')
  const reaches = (servers: string): Promise<boolean> =>
    client(servers).then(
      async found => {
        await found[Symbol.asyncDispose]()
        return true
      },
      () => false,
    )
  await cluster.brokerDown(1)
  assert.deepEqual([await reaches(cluster.listener('INTERNAL')), await reaches(before)], [false, false])
  await cluster.brokerUp(1)
  assert.equal(cluster.listener('OTHER'), before)
  assert.equal(await reaches(before), true)
  await cluster.moveBroker(1)
  assert.notEqual(cluster.listener('OTHER'), before)
  assert.equal(await reaches(cluster.listener('OTHER')), true)
  await cluster.addBroker()
  const [, added = ''] = cluster.listener('OTHER').split(',')
  await using found = await client(added)
  const { brokers } = await found.ask(Metadata, 12, { topics: [] })
  assert.equal(brokers.map(({ host, port }) => `${host}:${port}`).join(','), cluster.listener('OTHER'))
})

test('configurations name the listeners, their protocols and advertised addresses', async () => {
  await using cluster = await EmbeddedCluster.start({ listeners: [internal, outside] })
  await using inside = await client(cluster.bootstrapServers)
  const configs = await brokerConfigs(inside)
  assert.match(configs.get('listeners') ?? '', /^INTERNAL:\/\/127\.0\.0\.1:\d+,OUTSIDE:\/\/127\.0\.0\.1:\d+$/)
  assert.match(configs.get('advertised.listeners') ?? '', /,OUTSIDE:\/\/kafka\.example:19092$/)
  assert.equal(configs.get('listener.security.protocol.map'), 'INTERNAL:PLAINTEXT,OUTSIDE:SASL_PLAINTEXT')
  assert.equal(configs.get('sasl.enabled.mechanisms'), 'PLAIN')
})

test('brokers that listen everywhere advertise an address that clients can connect to', async () => {
  await using cluster = await EmbeddedCluster.start({ host: '0.0.0.0' })
  assert.match(cluster.bootstrapServers, /^127\.0\.0\.1:\d+$/)
  await using named = await EmbeddedCluster.start({ host: '0.0.0.0', advertisedHost: 'localhost' })
  assert.match(named.listener('PLAINTEXT'), /^localhost:\d+$/)
})

test('listeners that cannot be are refused by name', async () => {
  const refused = async (options: EmbeddedClusterOptions, why: RegExp): Promise<void> => {
    await assert.rejects(EmbeddedCluster.start(options), why)
  }
  await refused({ listeners: [] }, /listeners is empty/)
  await refused({ listeners: [internal], port: 9092 }, /port cannot be combined with listeners/)
  await refused({ listeners: [internal, internal] }, /two listeners INTERNAL/)
  await refused({ listeners: [{ ...internal, name: 'a b' }] }, /listener 'a b'/)
  await refused({ listeners: [{ ...internal, port: 65_536 }] }, /listener INTERNAL: port 65536/)
  await refused({ listeners: [{ name: 'X', protocol: 'SASL_PLAINTEXT' }] }, /listener X: SASL_PLAINTEXT needs sasl/)
  await refused({ listeners: [{ name: 'X', protocol: 'SSL' }] }, /listener X: SSL needs tls/)
  await refused({ listeners: [{ ...outside, protocol: 'PLAINTEXT' }] }, /sasl needs protocol SASL_PLAINTEXT/)
  await refused(
    {
      brokers: 3,
      listeners: [
        { ...internal, port: 29_092 },
        { ...internal, name: 'B', port: 29_094 },
      ],
    },
    /listener B cannot begin at 29094: listener INTERNAL has ports 29092 to 29094/,
  )
  await using cluster = await EmbeddedCluster.start({ listeners: [internal] })
  assert.throws(() => cluster.listener('OUTSIDE'), /there is no listener OUTSIDE; the cluster has INTERNAL/)
})

type Disposable = WireClient & AsyncDisposable

async function client(servers: string): Promise<Disposable> {
  const made = await WireClient.connect(servers)
  return Object.assign(made, {
    [Symbol.asyncDispose]: async () => {
      made.close()
      await made.closed
    },
  })
}

async function brokerConfigs(asking: WireClient): Promise<Map<string, string | null>> {
  const { results } = await asking.ask(DescribeConfigs, 4, {
    resources: [{ resourceType: 4, resourceName: '1', configurationKeys: null }],
  })
  return new Map((results[0]?.configs ?? []).map(({ name, value }) => [name, value]))
}

async function listeningPort(asking: WireClient, name: string): Promise<string> {
  const listeners = (await brokerConfigs(asking)).get('listeners') ?? ''
  return new RegExp(`${name}://127\\.0\\.0\\.1:(\\d+)`).exec(listeners)?.[1] ?? ''
}
