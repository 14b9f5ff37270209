import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseServers } from '../../src/config/servers.ts'

const parse = (servers: unknown): unknown => parseServers('bootstrap.servers', servers)
const at = (host: string, port = 9092): unknown => ({ host, port })

test('addresses come as a text with commas or a list, with spaces, empty parts and schemes', () => {
  const expected = [at('a', 1), at('b.example'), at('c', 65_535)]
  assert.deepEqual(parse(' a:1,, b.example , SASL_SSL://c:65535'), expected)
  assert.deepEqual(parse(['a:1', '', 'b.example', 'PLAINTEXT://c:65535']), expected)
})

test('an IPv6 address may be without brackets, with a zone, and with the default port', () => {
  const servers =
    '::1, [::1], [::1]:9093, PLAINTEXT://[::1]:9094, fe80::1%eth0, [fe80::1%eth0.7]:9095, 2001:db8::8a2e:370'
  assert.deepEqual(parse(servers), [
    at('::1'),
    at('::1'),
    at('::1', 9093),
    at('::1', 9094),
    at('fe80::1%eth0'),
    at('fe80::1%eth0.7', 9095),
    at('2001:db8::8a2e:370'),
  ])
})

test('an invalid or ambiguous address is refused with how to write it', () => {
  const cases: [unknown, RegExp][] = [
    ['::1:9092', /^bootstrap\.servers: .* ambiguous: write \[::1\]:9092, or \[::1:9092\] with its port/],
    ['::1:19092', /not an address.*needs brackets, \[::1\]:9092/],
    ['[localhost]:9092', /not an IPv6 address/],
    ['[::1', /not an address/],
    ['[::1]:0', /not an address/],
    ['a:1:2', /not an address/],
    ['a:65536', /a port from 1 to 65535$/],
    ['a:', /not an address/],
    ['http://a:1/path', /not an address/],
    [['a:1', 2], /separated by commas/],
    [undefined, /separated by commas/],
  ]
  for (const [servers, message] of cases) {
    assert.throws(() => parse(servers), { name: 'ERR__INVALID_ARG', message }, String(servers))
  }
})
