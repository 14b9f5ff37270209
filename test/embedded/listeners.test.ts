/** Clients on different listeners of one cluster share its topics. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EmbeddedCluster, type ListenerOptions } from '@ottla/broker'
import { Consumer, Producer, type ConsumerConfig } from 'ottla'
import { Authority } from '../harness/certificates.ts'

const users = { alice: 'alicepassword' }
const listeners: readonly ListenerOptions[] = [
  { name: 'PLAINTEXT', protocol: 'PLAINTEXT' },
  { name: 'SSL', protocol: 'SSL' },
  { name: 'SASL_PLAINTEXT', protocol: 'SASL_PLAINTEXT', sasl: { mechanisms: ['PLAIN'], users } },
  { name: 'SASL_SSL', protocol: 'SASL_SSL', sasl: { mechanisms: ['SCRAM-SHA-512'], users } },
]

test('four listeners, one for each security protocol, and one log behind them', async () => {
  const authority = Authority.make('Listeners')
  const { key, cert } = authority.issue({ subject: '/CN=broker', names: 'IP:127.0.0.1' })
  await using cluster = await EmbeddedCluster.start({ brokers: 3, listeners, tls: { key, cert } })
  cluster.createTopic('t', { partitions: 6, replicationFactor: 3 })
  const principals = new Map<string, Set<string>>()
  cluster.control(({ clientId, principal }) => {
    principals.set(clientId, (principals.get(clientId) ?? new Set()).add(principal))
    return undefined
  })
  const configOf = (name: string): ConsumerConfig => ({
    'bootstrap.servers': cluster.listener(name),
    'client.id': name,
    'security.protocol': name as NonNullable<ConsumerConfig['security.protocol']>,
    ...(name.endsWith('SSL') ? { 'ssl.ca.pem': authority.cert } : {}),
    ...(name.startsWith('SASL')
      ? {
          'sasl.username': 'alice',
          'sasl.password': users.alice,
          'sasl.mechanism': name === 'SASL_SSL' ? 'SCRAM-SHA-512' : 'PLAIN',
        }
      : {}),
  })
  for (const { name } of listeners) {
    await using producer = new Producer(configOf(name))
    await Promise.all(
      Array.from({ length: 6 }, (_, partition) => producer.send({ topic: 't', partition, value: name })),
    )
  }
  for (const { name } of listeners) {
    await using consumer = new Consumer({
      ...configOf(name),
      'group.id': `of ${name}`,
      'auto.offset.reset': 'earliest',
    })
    consumer.subscribe('t')
    const values: string[] = []
    while (values.length < 24) values.push(String((await consumer.readMessage()).value))
    assert.deepEqual(new Set(values), new Set(listeners.map(listener => listener.name)))
  }
  assert.deepEqual([...(principals.get('SSL') ?? [])], ['User:ANONYMOUS'])
  assert.ok(principals.get('SASL_SSL')?.has('User:alice'))
})
