import assert from 'node:assert/strict'
import { test } from 'node:test'
import { embeddedOptions, parseUsers, type BrokerOptions } from '../../src/broker/options.ts'
import { UsageError } from '../../src/terminal/terminal.ts'

const none: BrokerOptions = { listener: [], advertised: [], sasl: [] }

test('users come from USER:PASSWORD, the last of a name counts', () => {
  assert.deepEqual(parseUsers(['alice:a', 'bob:b:c', 'alice:d']), { alice: 'd', bob: 'b:c' })
  assert.throws(() => parseUsers(['alice']), UsageError)
})

test('without options there is one broker on port 9092', () => {
  assert.deepEqual(embeddedOptions(none), { port: 9092 })
})

test('listeners replace port and host, and advertise what they are told to', () => {
  const listener = ['INTERNAL=PLAINTEXT://:9092', 'SASL_SSL://[::1]:9093']
  const { listeners } = embeddedOptions({ ...none, listener, advertised: ['kafka', 'SASL_SSL=kafka.example:19093'] })
  assert.deepEqual(listeners, [
    { name: 'INTERNAL', protocol: 'PLAINTEXT', host: '0.0.0.0', port: 9092, advertisedHost: 'kafka' },
    {
      name: 'SASL_SSL',
      protocol: 'SASL_SSL',
      host: '::1',
      port: 9093,
      advertisedHost: 'kafka.example',
      advertisedPort: 19_093,
    },
  ])
  assert.throws(() => embeddedOptions({ ...none, listener, port: 1 }), /--listener replaces --port and --host/)
  assert.throws(() => embeddedOptions({ ...none, listener, advertised: ['X=kafka'] }), /there is no listener X/)
  assert.throws(() => embeddedOptions({ ...none, listener, advertised: ['kafka:1'] }), /needs the name of a listener/)
  assert.throws(() => embeddedOptions({ ...none, listener: ['A=HTTP://:1'] }), /HTTP is none of PLAINTEXT/)
  assert.throws(() => embeddedOptions({ ...none, listener: ['A'] }), /write it as NAME=PROTOCOL:\/\/HOST:PORT/)
})

test('without listeners a host can be advertised', () => {
  const options = embeddedOptions({ ...none, host: '0.0.0.0', advertised: ['kafka'] })
  assert.deepEqual(options, { port: 9092, host: '0.0.0.0', advertisedHost: 'kafka' })
  assert.throws(() => embeddedOptions({ ...none, advertised: ['kafka:9092'] }), /takes a host only/)
})

test('TLS needs certificate and key, and files that can be read', () => {
  assert.throws(() => embeddedOptions({ ...none, tlsCert: 'cert.pem' }), /belong together/)
  assert.throws(() => embeddedOptions({ ...none, tlsClientAuth: 'required' }), /need --tls-cert and --tls-key/)
  assert.throws(() => embeddedOptions({ ...none, tlsCert: '/missing', tlsKey: '/missing' }), /--tls-cert \/missing/)
})
