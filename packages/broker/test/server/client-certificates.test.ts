import { readFileSync } from 'node:fs'
import { connect, type ConnectionOptions } from 'node:tls'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Metadata, encodeRequest } from '@ottla/protocol'
import { EmbeddedCluster, type TlsSettings } from '../../src/index.ts'

const fixture = (name: string): string =>
  readFileSync(new URL(`../../../../test/fixtures/tls/${name}`, import.meta.url), 'utf8')
const server = { key: fixture('server-key.pem'), cert: fixture('server-cert.pem') }
const client = { key: fixture('client-key.pem'), cert: fixture('client-cert.pem') }

/** Whether a client with this certificate may see a topic of alice's; null: it gets no response at all. */
async function isAlice(
  tls: Partial<TlsSettings>,
  options: ConnectionOptions,
  principal: string,
): Promise<boolean | null> {
  await using cluster = await EmbeddedCluster.start({
    tls: { ...server, ca: client.cert, ...tls },
    acls: [
      {
        resourceType: 'topic',
        name: 't',
        resourcePatternType: 'literal',
        principal,
        host: '*',
        permissionType: 'allow',
        operation: 'describe',
      },
    ],
  })
  cluster.createTopic('t')
  const port = Number(cluster.bootstrapServers.split(':')[1])
  const socket = connect({ port, host: '127.0.0.1', ca: server.cert, ...options })
  socket.write(Buffer.concat(encodeRequest(Metadata, 1, 1, 'test', { topics: [{ name: 't' }] })))
  const answer = await new Promise<Buffer | null>(resolve => {
    socket.on('data', resolve)
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(null))
  })
  socket.destroy()
  // The error code of the only topic stands between the count of topics and its name.
  return answer === null ? null : answer.readInt16BE(answer.lastIndexOf('\0\x01t') - 2) === 0
}

test("the certificate's subject is the client's principal, written as Java writes it", async () => {
  assert.equal(await isAlice({ clientAuth: 'required' }, client, 'User:CN=alice,O=Example\\, Inc,C=DE'), true)
  assert.equal(await isAlice({ clientAuth: 'required' }, client, 'User:ANONYMOUS'), false)
})

test('an application can map the subject to another name', async () => {
  const principal = (subject: string): string => /CN=([^,]+)/.exec(subject)?.[1] ?? subject
  assert.equal(await isAlice({ clientAuth: 'requested', principal }, client, 'User:alice'), true)
})

test('a client without a certificate is anonymous if one is requested, and refused if it is required', async () => {
  assert.equal(await isAlice({ clientAuth: 'requested' }, {}, 'User:ANONYMOUS'), true)
  assert.equal(await isAlice({ clientAuth: 'required' }, {}, 'User:ANONYMOUS'), null)
})

test('a certificate of another authority is refused, requested or required', async () => {
  for (const clientAuth of ['requested', 'required'] as const) {
    assert.equal(await isAlice({ clientAuth, ca: fixture('other-cert.pem') }, client, 'User:ANONYMOUS'), null)
  }
})

test('a certificate does not count if none is asked for', async () => {
  assert.equal(await isAlice({}, client, 'User:ANONYMOUS'), true)
})
