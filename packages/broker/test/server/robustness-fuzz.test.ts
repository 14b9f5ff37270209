/** Requests that are almost valid: whatever is wrong with them, a cluster answers or hangs up, and does not leak. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import * as protocol from '@ottla/protocol'
import { apis, encodeRequest, type Api, type ApiKey } from '@ottla/protocol'
import { EmbeddedCluster } from '../../src/index.ts'
import { seededRandom } from '../../src/base/random.ts'
import { requestBodies, type RequestBodies } from '../request-bodies.ts'
import { WireClient } from '../wire-client.ts'

// Values at the ends of a field's range or with a special meaning.
const TELLING_BYTES = [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff]
// Frame size, API key, version and correlation id, which the body is read by.
const HEADER_BYTES = 12
const LANES = 16

let cluster: EmbeddedCluster
let bodies: RequestBodies = {}
const internalErrors: string[] = []
const write = process.stderr.write.bind(process.stderr)
const random = seededRandom(20261123)
const below = (limit: number): number => Math.floor((random.bytes(4).readUInt32LE() / 2 ** 32) * limit)

before(async () => {
  cluster = await EmbeddedCluster.start({
    brokers: 2,
    acls: [],
    superUsers: ['User:ANONYMOUS'],
    onTelemetry: () => undefined,
  })
  cluster.createTopic('t', { partitions: 2 })
  const client = await WireClient.connect(cluster.bootstrapServers)
  const metadata = await client.ask(protocol.Metadata, 12, { topics: [{ name: 't' }] })
  bodies = requestBodies(metadata.topics[0]?.topicId ?? '')
  client.close()
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

/** A frame with a mutation after its header. */
function mutated(frame: Buffer): Buffer {
  let bytes = Buffer.from(frame)
  for (let times = 1 + below(3); times > 0; times--) {
    const at = HEADER_BYTES + below(Math.max(1, bytes.length - HEADER_BYTES))
    const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)]
    switch (below(5)) {
      case 0:
        bytes = Buffer.from(head)
        break
      case 1:
        bytes = Buffer.concat([head, Buffer.from(Array.from({ length: 1 + below(8) }, () => below(256))), tail])
        break
      case 2:
        bytes = Buffer.concat([head, tail.subarray(0, 1 + below(16)), tail])
        break
      case 3:
        bytes.fill(TELLING_BYTES[below(TELLING_BYTES.length)] ?? 0, at, Math.min(bytes.length, at + 1 + below(8)))
        break
      default:
        if (at < bytes.length) bytes[at] = below(256)
    }
  }
  bytes.writeInt32BE(bytes.length - 4)
  return bytes
}

/** Resolves with the response's first byte or the end of the connection. */
function sent(frame: Buffer): Promise<void> {
  const [host = '', port = ''] = cluster.bootstrapServers.split(',')[0]?.split(':') ?? []
  return new Promise(resolve => {
    const socket = connect({ host, port: Number(port) })
    socket.on('error', () => undefined)
    socket.once('data', () => socket.destroy())
    socket.once('close', () => resolve())
    // Ends the connection for requests that would wait.
    socket.end(frame)
  })
}

function* almostRight(): Generator<{ name: string; frame: Buffer }> {
  for (const { name, minVersion, maxVersion } of apis) {
    const make = bodies[name as keyof typeof ApiKey]
    if (make === undefined) continue
    const api = (protocol as unknown as Record<string, Api<object, object>>)[name]
    assert.ok(api !== undefined, name)
    for (let version = minVersion; version <= maxVersion; version++) {
      for (const body of make(version)) {
        const frame = Buffer.concat(encodeRequest(api, version, 1, 'fuzz', body))
        for (let i = 0; i < 5; i++) yield { name: `${name} ${version}`, frame: mutated(frame) }
      }
    }
  }
}

test('mutated requests are answered or hung up on', async () => {
  const requests = almostRight()
  const resident = process.memoryUsage().rss
  const seen = new Set<string>()
  const lane = async (): Promise<void> => {
    for (const { name, frame } of requests) {
      const before = internalErrors.length
      seen.add(name)
      await sent(frame)
      if (internalErrors.length > before) internalErrors.push(`around ${name}: ${frame.toString('hex')}`)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  assert.deepEqual(internalErrors, [])
  assert.ok(seen.size > 200, `${seen.size} kinds of requests`)
  assert.ok(process.memoryUsage().rss - resident < 300_000_000)
  const client = await WireClient.connect(cluster.bootstrapServers)
  assert.equal((await client.ask(protocol.Metadata, 9, { topics: [] })).brokers.length, 2)
  client.close()
})
