/** Clients over TLS on embedded clusters, one for each kind of listener. */
import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { Producer, type DeliveryReport } from 'ottla'
import { tlsScenarios, type TlsWorld } from '../behaviour/tls.ts'
import { passwords } from '../behaviour/world.ts'
import { Authority } from '../harness/certificates.ts'

const principal = (subject: string): string => /CN=([^,]+)/.exec(subject)?.[1] ?? subject

tlsScenarios(async (): Promise<TlsWorld> => {
  const authority = Authority.make('Embedded')
  const broker = authority.issue({ subject: '/CN=broker', names: 'IP:127.0.0.1' })
  const { key, cert } = broker
  const common = { key, cert, ca: authority.cert }
  const certificates = await EmbeddedCluster.start({
    tls: { ...common, clientAuth: 'required', principal },
    acls: [],
    superUsers: ['admin'],
  })
  const sasl = await EmbeddedCluster.start({ tls: common, sasl: { mechanisms: ['PLAIN'], users: passwords } })
  const plain = await EmbeddedCluster.start()
  const clusters = [certificates, sasl, plain]
  return {
    certificateServers: certificates.bootstrapServers,
    passwordServers: sasl.bootstrapServers,
    plainServers: plain.bootstrapServers,
    authority,
    brokers: [broker],
    close: async () => {
      await Promise.all(clusters.map(cluster => cluster.close()))
    },
  }
})

test('a certificate that is replaced under load loses no message: connections move to it as they are made anew', async () => {
  const authority = Authority.make('Rotation')
  const broker = authority.issue({ subject: '/CN=broker', names: 'IP:127.0.0.1' })
  const seen = new Set<string>()
  await using cluster = await EmbeddedCluster.start({
    tls: { key: broker.key, cert: broker.cert, ca: authority.cert, clientAuth: 'required', principal },
  })
  cluster.control(request => {
    seen.add(request.principal)
    return undefined
  })
  const certFile = join(authority.folder, 'client.pem')
  const keyFile = join(authority.folder, 'client.key')
  const rotate = (name: string): void => {
    const next = authority.issue({ subject: `/CN=${name}` })
    copyFileSync(next.certFile, certFile)
    copyFileSync(next.keyFile, keyFile)
  }
  rotate('first')
  const producer = new Producer({
    'bootstrap.servers': cluster.bootstrapServers,
    'security.protocol': 'ssl',
    'ssl.ca.pem': authority.cert,
    'ssl.certificate.location': certFile,
    'ssl.key.location': keyFile,
    'enable.idempotence': true,
    'reconnect.backoff.ms': 1,
    'reconnect.backoff.max.ms': 5,
  })
  const values: string[] = []
  for (const name of ['second', 'third', 'fourth']) {
    const sent: Promise<DeliveryReport>[] = []
    for (let i = 0; i < 500; i++) {
      const value = `${name} ${i}`
      values.push(value)
      sent.push(producer.send({ topic: 'rotated', partition: 0, value }))
      if (i === 250) {
        await sent[0]
        rotate(name)
        cluster.dropConnections(1)
      }
    }
    for (const report of await Promise.all(sent)) assert.equal(report.status, 'persisted')
  }
  await producer.close()
  assert.deepEqual([...seen].sort(), ['User:first', 'User:fourth', 'User:second', 'User:third'])
  assert.deepEqual(
    cluster.messages('rotated').map(({ value }) => String(value)),
    values,
  )
})

test('certificates and keys of a client that speaks no TLS are warned about by name', async () => {
  const lines: string[] = []
  const producer = new Producer(
    { 'bootstrap.servers': '127.0.0.1:1', 'ssl.ca.pem': 'x', 'ssl.key.pem': 'secret' },
    { logger: (level, facility, message) => lines.push(`${level} ${facility} ${message}`) },
  )
  await producer.close(0)
  const warning = '4 CONFWARN ssl.ca.pem, ssl.key.pem have no effect: security.protocol=plaintext does not use TLS'
  assert.deepEqual(
    lines.filter(line => line.includes('CONFWARN')),
    [warning],
  )
})

test('authorities between the root and a certificate come with the certificate, on both sides', async () => {
  const root = Authority.make('Root')
  const middle = root.makeBelow('Middle')
  const broker = middle.issue({ subject: '/CN=broker', names: 'IP:127.0.0.1' })
  const client = middle.issue({ subject: '/CN=client' })
  await using cluster = await EmbeddedCluster.start({
    tls: { key: broker.key, cert: broker.cert + middle.cert, ca: root.cert, clientAuth: 'required' },
  })
  const seen = new Set<string>()
  const producer = new Producer(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'security.protocol': 'ssl',
      'ssl.ca.pem': root.cert,
      'ssl.certificate.pem': client.cert + middle.cert,
      'ssl.key.pem': client.key,
    },
    {
      verifyCertificate: ({ certificate, issuers, error }) => {
        seen.add([certificate, ...issuers].map(({ subject }) => subject).join(' < '))
        return error === null
      },
    },
  )
  assert.equal((await producer.send({ topic: 'chain', value: 'x' })).status, 'persisted')
  await producer.close()
  assert.deepEqual([...seen], ['CN=broker < CN=Middle < CN=Root'])
})
