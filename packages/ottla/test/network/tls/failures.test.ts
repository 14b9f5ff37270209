import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { test } from 'node:test'
import { Authority } from '../../../../../test/harness/certificates.ts'
import { aboutOwn, explain, isTlsError, type Attempt } from '../../../src/network/tls/failures.ts'

const authority = Authority.make('Failures')
const certificate = new X509Certificate(authority.issue({ subject: '/CN=broker' }).cert)
const context = createSecureContext()
const withoutOwn = { context, own: null, hasOwn: false }
const attempt: Attempt = { host: 'broker', ready: withoutOwn, peer: certificate, now: Date.now() }

function failure(code: string, message = code): Error {
  return Object.assign(new Error(message), { code })
}

test('errors of the network are not errors of TLS', () => {
  for (const code of ['CERT_HAS_EXPIRED', 'ERR_SSL_WRONG_VERSION_NUMBER', 'EPROTO']) {
    assert.equal(isTlsError(failure(code)), true, code)
  }
  for (const code of ['ECONNRESET', 'EHOSTUNREACH', 'ERR_SOCKET_CLOSED', 'ERR_STREAM_DESTROYED']) {
    assert.equal(isTlsError(failure(code)), false, code)
  }
  assert.equal(isTlsError(new Error('no code')), false)
})

test('an unknown authority is named, and the property that must contain it', () => {
  const text = explain(failure('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), attempt)
  assert.match(text, /\(CN=broker\), issued by .*Failures.*ssl\.ca\.location/)
  const unseen = explain(failure('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), { ...attempt, peer: null })
  assert.match(unseen, /^the broker's certificate is not from a trusted authority/)
})

test('an alert is explained by what the client has to offer', () => {
  const handshakeFailure = failure('ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE')
  assert.match(explain(handshakeFailure, attempt), /requires a client certificate.*\(alert handshake failure\)/)
  const own = { context, own: { origin: 'ssl.certificate.pem', certificate }, hasOwn: true }
  assert.match(explain(handshakeFailure, { ...attempt, ready: own }), /no cipher, curve or signature algorithm/)
  const unknownAuthority = failure('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA')
  assert.match(explain(unknownAuthority, { ...attempt, ready: own }), /does not accept .* in ssl\.certificate\.pem/)
})

test('an alert is read from the message if the code does not name it', () => {
  const text =
    'write EPROTO 00AB:error:0A000410:SSL routines:ssl3_read_bytes:tls alert protocol version:SSL alert number 70'
  assert.match(explain(failure('EPROTO', text), attempt), /no TLS version in common/)
})

test('what cannot be explained keeps its message', () => {
  assert.equal(explain(failure('ERR_SSL_INTERNAL_ERROR', 'something else'), attempt), 'something else')
})

test("the client's own certificate is checked for its time first", () => {
  const ready = { context, own: { origin: 'ssl.certificate.pem', certificate }, hasOwn: true }
  assert.match(aboutOwn({ ready, now: Date.parse(certificate.validTo) + 1 }), /has expired/)
  assert.match(aboutOwn({ ready, now: Date.parse(certificate.validFrom) - 1 }), /is not valid yet/)
  assert.match(aboutOwn({ ready, now: Date.parse(certificate.validTo) }), /does not accept/)
  assert.match(aboutOwn({ ready: { ...ready, own: null }, now: 0 }), /ssl\.keystore\.location/)
})
