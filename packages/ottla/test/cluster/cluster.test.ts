import { after, test } from 'node:test'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  ErrorCode,
  FindCoordinatorServer,
  Heartbeat,
  MetadataServer,
  SaslAuthenticateServer,
  SaslHandshakeServer,
  encodeResponse,
  type ServerApi,
} from '@ottla/protocol'
import { Deadline, systemClock } from '../../src/base/clock.ts'
import type { Broker } from '../../src/cluster/broker.ts'
import { Cluster } from '../../src/cluster/cluster.ts'
import { createContext, type ClientOptions } from '../../src/cluster/context.ts'
import { getMetadata } from '../../src/cluster/queries.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { KafkaError } from '../../src/errors.ts'
import { FakeClock } from '../base/fake-clock.ts'
import { ScriptedBroker, type Asked } from '../network/scripted-broker.ts'

const clusters: Cluster[] = []
const brokers: ScriptedBroker[] = []

after(async () => {
  for (const cluster of clusters) cluster.close()
  for (const broker of brokers) await broker.close()
})

async function clusterOf(
  script: (asked: Asked) => void,
  config: Record<string, unknown> = {},
  options: ClientOptions = {},
): Promise<Cluster> {
  const broker = await ScriptedBroker.start(script)
  brokers.push(broker)
  const resolved = resolveConfig('admin', {
    'bootstrap.servers': `127.0.0.1:${broker.port}`,
    // A scripted broker answers only what its test expects.
    'enable.metrics.push': false,
    ...config,
  })
  const cluster = new Cluster(createContext('admin', resolved, { logger: () => undefined, ...options }))
  clusters.push(cluster)
  return cluster
}

async function until(condition: () => boolean): Promise<void> {
  const latest = performance.now() + 30_000
  while (!condition()) {
    assert.ok(performance.now() < latest, 'it does not come about')
    await new Promise(resolve => setImmediate(resolve))
  }
}

test('a call that runs out of time because of the credentials says so, even if it was still connecting', async () => {
  let attempts = 0
  const cluster = await clusterOf(
    ({ header, socket }) => {
      const reply = (chunks: Uint8Array[]): void => chunks.forEach(chunk => socket.write(chunk))
      if (header.apiKey === SaslHandshakeServer.key) {
        reply(
          encodeResponse(SaslHandshakeServer, header.apiVersion, header.correlationId, {
            errorCode: 0,
            mechanisms: ['PLAIN'],
          }),
        )
      } else if (header.apiKey === SaslAuthenticateServer.key && ++attempts === 1) {
        const errorCode = ErrorCode.ERR_SASL_AUTHENTICATION_FAILED
        const body = { errorCode, errorMessage: 'no such user', authBytes: Buffer.alloc(0) }
        reply(encodeResponse(SaslAuthenticateServer, header.apiVersion, header.correlationId, body))
      }
      // Later attempts are left without an answer.
    },
    { 'security.protocol': 'sasl_plaintext', 'sasl.mechanisms': 'PLAIN', 'sasl.username': 'u', 'sasl.password': 'p' },
  )
  await assert.rejects(getMetadata(cluster, {}, { deadline: Deadline.after(systemClock, 400) }), (error: unknown) => {
    assert.ok(error instanceof KafkaError)
    assert.equal(error.code, ErrorCode.ERR__AUTHENTICATION)
    assert.match(error.message, /no such user/)
    return true
  })
})

test('an aborted call ends with the reason of its signal, and close ends the others', async () => {
  const cluster = await clusterOf(() => undefined)
  const abort = new AbortController()
  const aborted = assert.rejects(
    getMetadata(cluster, {}, { deadline: Deadline.after(systemClock, -1), signal: abort.signal }),
    /had enough/,
  )
  const closed = assert.rejects(getMetadata(cluster, {}, { deadline: Deadline.after(systemClock, -1) }), /is closed/)
  abort.abort(new Error('had enough'))
  await aborted
  cluster.close()
  await closed
})

interface Pair {
  readonly cluster: Cluster
  /** Accepts connections, and answers nothing. */
  readonly silent: ScriptedBroker
  readonly find: () => Promise<Broker>
}

/** Two brokers, one of them silent; the other one's FindCoordinator requests are passed to the test. */
async function pairOf(onFind: (answer: () => void, asked: Asked, silent: ScriptedBroker) => void): Promise<Pair> {
  const silent = await ScriptedBroker.start()
  brokers.push(silent)
  silent.isSilent = true
  let port = 0
  const reply = <Req, Res>(api: ServerApi<Req, Res>, { header, socket }: Asked, body: Res): void => {
    for (const part of encodeResponse(api, header.apiVersion, header.correlationId, body)) socket.write(part)
  }
  const cluster = await clusterOf(asked => {
    port = asked.socket.localPort ?? 0
    const node = { nodeId: 1, host: '127.0.0.1', port }
    if (asked.header.apiKey === MetadataServer.key) {
      const other = { nodeId: 2, host: '127.0.0.1', port: silent.port, rack: null }
      const told = [{ ...node, rack: null }, other]
      reply(MetadataServer, asked, { brokers: told, topics: [], clusterId: 'c', controllerId: 1, throttleTimeMs: 0 })
    } else {
      const found = { ...node, key: 'g', errorCode: 0, errorMessage: null }
      onFind(() => reply(FindCoordinatorServer, asked, { coordinators: [found] }), asked, silent)
    }
  })
  await getMetadata(cluster, {}, { deadline: Deadline.after(systemClock, 8000) })
  const find = (): Promise<Broker> => cluster.coordinator('group', 'g', Deadline.after(systemClock, 8000))
  return { cluster, silent, find }
}

function onConnection(broker: ScriptedBroker, callback: () => void): void {
  if (broker.sockets.size > 0) callback()
  else setTimeout(() => onConnection(broker, callback), 10)
}

test('a broker that fails while another is connected in parallel is asked again', async () => {
  let asks = 0
  const { find } = await pairOf((answer, { socket }, silent) => {
    if (++asks === 1) onConnection(silent, () => socket.destroy())
    else answer()
  })
  assert.equal((await find()).id, 1)
  assert.equal(asks, 2)
})

test('an attempt in parallel to a slow broker is given up when that has answered', async () => {
  const { find, silent } = await pairOf((answer, _, other) => onConnection(other, answer))
  assert.equal((await find()).id, 1)
  await Promise.all([...silent.sockets].map(socket => once(socket, 'close')))
})

/** A broker that coordinates all groups, on a clock that stands still; `onAsked` gets all but metadata requests. */
async function standingCluster(onAsked: (asked: Asked, answerFind: () => void) => void): Promise<[Cluster, FakeClock]> {
  const clock = new FakeClock()
  const cluster = await clusterOf(
    asked => {
      const { header, socket } = asked
      const node = { nodeId: 1, host: '127.0.0.1', port: socket.localPort ?? 0 }
      const reply = <Req, Res>(api: ServerApi<Req, Res>, body: Res): void => {
        for (const part of encodeResponse(api, header.apiVersion, header.correlationId, body)) socket.write(part)
      }
      if (header.apiKey === MetadataServer.key) {
        reply(MetadataServer, { brokers: [{ ...node, rack: null }], topics: [], clusterId: 'c', controllerId: 1 })
      } else {
        const found = { ...node, key: 'g', errorCode: 0, errorMessage: null }
        onAsked(asked, () => reply(FindCoordinatorServer, { coordinators: [found] }))
      }
    },
    {},
    { clock },
  )
  await getMetadata(cluster, {}, { deadline: Deadline.after(clock, 8000) })
  return [cluster, clock]
}

test('the time to find the right broker counts towards the limit', async () => {
  const asked: (() => void)[] = []
  const [cluster, clock] = await standingCluster((_, answerFind) => asked.push(answerFind))
  const call = cluster.request(
    { to: 'coordinator', type: 'group', key: 'g' },
    Heartbeat,
    { groupId: 'g', generationId: 1, memberId: 'm' },
    { deadline: Deadline.after(clock, 2000) },
  )
  let error: unknown = null
  call.catch((e: unknown) => (error = e))
  await until(() => asked.length === 1)
  await clock.advance(1800)
  asked[0]?.()
  await until(() => asked.length === 2)
  await clock.advance(200)
  assert.ok(error instanceof KafkaError)
  assert.equal(error.code, ErrorCode.ERR__TIMED_OUT)
})

test('a call that shares a search for a coordinator keeps its own time limit', async () => {
  let asks = 0
  const [cluster, clock] = await standingCluster(() => asks++)
  const errors: unknown[] = []
  for (const ms of [8000, 2000]) {
    const search = cluster.coordinator('group', 'g', Deadline.after(clock, ms))
    search.catch((e: unknown) => errors.push(e))
  }
  await until(() => asks === 1)
  await clock.advance(2000)
  assert.equal(errors.length, 1)
  const [error] = errors
  assert.ok(error instanceof KafkaError)
  assert.equal(error.code, ErrorCode.ERR__TIMED_OUT)
})
