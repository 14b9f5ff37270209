import { after, test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode, SaslAuthenticateServer, SaslHandshakeServer, encodeResponse } from '@ottla/protocol'
import { Deadline, systemClock } from '../../src/base/clock.ts'
import { Cluster } from '../../src/cluster/cluster.ts'
import { createContext } from '../../src/cluster/context.ts'
import { getMetadata } from '../../src/cluster/queries.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { KafkaError } from '../../src/errors.ts'
import { ScriptedBroker, type Asked } from '../network/scripted-broker.ts'

const clusters: Cluster[] = []
const brokers: ScriptedBroker[] = []

after(async () => {
  for (const cluster of clusters) cluster.close()
  for (const broker of brokers) await broker.close()
})

async function clusterOf(script: (asked: Asked) => void, config: Record<string, unknown> = {}): Promise<Cluster> {
  const broker = await ScriptedBroker.start(script)
  brokers.push(broker)
  const resolved = resolveConfig('admin', { 'bootstrap.servers': `127.0.0.1:${broker.port}`, ...config })
  const cluster = new Cluster(createContext('admin', resolved, { logger: () => undefined }))
  clusters.push(cluster)
  return cluster
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
