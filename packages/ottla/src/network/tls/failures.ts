/** Explains why a TLS connection failed or ended, and names what to change. */
import type { X509Certificate } from 'node:crypto'
import type { ReadyContext } from './secure-context.ts'

const verification: Readonly<Record<string, string>> = {
  CERT_NOT_YET_VALID: 'is not valid yet',
  CERT_HAS_EXPIRED: 'has expired',
  CERT_REVOKED: 'has been revoked (ssl.crl.location)',
  CERT_UNTRUSTED: 'is not trusted',
  CERT_REJECTED: 'is not meant for servers',
  INVALID_PURPOSE: 'is not meant for servers',
  CERT_CHAIN_TOO_LONG: 'has too long a chain of authorities',
  CERT_SIGNATURE_FAILURE: 'has a wrong signature',
  UNABLE_TO_GET_CRL: 'cannot be looked up: ssl.crl.location has no list of its issuer, or of one above it',
  CRL_HAS_EXPIRED: 'cannot be looked up: the revocation list in ssl.crl.location has expired',
  CRL_NOT_YET_VALID: 'cannot be looked up: the revocation list in ssl.crl.location is not valid yet',
  CRL_SIGNATURE_FAILURE: 'cannot be looked up: the revocation list in ssl.crl.location has a wrong signature',
}

const unknownIssuer = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
])

const notTls = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_UNEXPECTED_MESSAGE',
  'ERR_SSL_RECORD_TOO_SMALL',
  'ERR_SSL_BAD_RECORD_TYPE',
])

/** What the client knows about the attempt. */
export interface Attempt {
  readonly host: string
  readonly ready: ReadyContext
  readonly peer: X509Certificate | null
  /** Milliseconds since 1970. */
  readonly now: number
}

export function errorCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** Whether it is an error of TLS, not of the network below it. */
export function isTlsError(error: Error): boolean {
  const code = errorCode(error)
  return code === 'EPROTO' || (code !== '' && !/^E[A-Z]+$|^ERR_S(?:TREAM|OCKET)_/.test(code))
}

/** Explains an error of node:tls; without an explanation, returns its message. */
export function explain(error: Error, attempt: Attempt): string {
  const code = errorCode(error)
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return nameMismatch(error, attempt)
  const { peer } = attempt
  const certificate = peer === null ? "the broker's certificate" : `the broker's certificate (${line(peer.subject)})`
  if (unknownIssuer.has(code)) {
    const issuer = peer === null || peer.issuer === peer.subject ? '' : `, issued by ${line(peer.issuer)},`
    const hint = 'ssl.ca.location or ssl.ca.pem must contain its authority'
    return `${certificate}${issuer} is not from a trusted authority; ${hint}`
  }
  const known = verification[code]
  if (known !== undefined) {
    const until = code === 'CERT_HAS_EXPIRED' && peer !== null ? ` (valid until ${peer.validTo})` : ''
    // The error may concern a certificate further up the chain.
    return `${certificate}, or one above it, ${known}${until}`
  }
  if (notTls.has(code)) return `the answer is not TLS (${error.message}); is security.protocol right for this port?`
  return fromAlert(error, attempt) ?? error.message
}

function nameMismatch(error: Error, { host }: Attempt): string {
  const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message
  const hint = 'ssl.endpoint.identification.algorithm=none would accept any name'
  return `the broker's certificate is not for ${host}: ${reason.replace(/\.$/, '')}; ${hint}`
}

// Explains the alert that the other end sent.
function fromAlert(error: Error, attempt: Attempt): string | null {
  const alert = /alert ([a-z ]+)$|alert ([a-z ]+)(?::|, )/i.exec(error.message.replace(/:SSL alert number.*/s, ''))
  const code = errorCode(error)
  const word = (/ALERT_([A-Z_]+)$/.exec(code)?.[1] ?? alert?.[1] ?? alert?.[2] ?? '').toLowerCase().replaceAll('_', ' ')
  if (word === '') return null
  if (word === 'protocol version')
    return 'the broker and this client have no TLS version in common (alert protocol version)'
  if (word === 'insufficient security' || (word === 'handshake failure' && attempt.ready.hasOwn)) {
    const which = 'ssl.cipher.suites, ssl.curves.list, ssl.sigalgs.list'
    return `broker and client have no cipher, curve or signature algorithm in common (alert ${word}; ${which})`
  }
  if (!word.includes('certificate') && word !== 'unknown ca' && word !== 'handshake failure') return null
  return `${aboutOwn(attempt)} (alert ${word})`
}

/** What the broker may object to in the client's certificate. */
export function aboutOwn({ ready, now }: Pick<Attempt, 'ready' | 'now'>): string {
  if (!ready.hasOwn) {
    return 'the broker requires a client certificate: set ssl.certificate.* and ssl.key.*, or ssl.keystore.location'
  }
  const { own } = ready
  if (own === null) return 'the broker does not accept the certificate in ssl.keystore.location'
  const { certificate, origin } = own
  const from = Date.parse(certificate.validFrom)
  const until = Date.parse(certificate.validTo)
  if (now > until) return `the certificate in ${origin} has expired (valid until ${certificate.validTo})`
  if (now < from) return `the certificate in ${origin} is not valid yet (valid from ${certificate.validFrom})`
  const issuer = line(certificate.issuer)
  return `the broker does not accept the certificate in ${origin} (${line(certificate.subject)}, issued by ${issuer})`
}

function line(name: string): string {
  return name.trim().split('\n').join(', ')
}
