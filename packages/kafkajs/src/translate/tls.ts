/** kafkajs's `ssl` option, in the configuration of `ottla`. */
import type { ConnectionOptions } from 'node:tls'
import type { ClientConfig } from 'ottla'

/** Options of `tls.connect` that have a property of `ottla`. */
const translatable = new Set(['ca', 'cert', 'key', 'passphrase', 'rejectUnauthorized'])

/**
 * The properties for these options; null where some have no property, so that only `tls.connect` itself can do what
 * they say.
 */
export function tlsProperties(ssl: ConnectionOptions | true): Partial<ClientConfig> | null {
  if (ssl === true) return {}
  const given = Object.entries(ssl).filter(([, value]) => value !== undefined)
  if (given.some(([name]) => !translatable.has(name))) return null
  const { rejectUnauthorized, passphrase } = ssl
  const [ca, cert, key] = [pemOf(ssl.ca), pemOf(ssl.cert), pemOf(ssl.key)]
  if (ca === null || cert === null || key === null) return null
  return {
    ...(ca === '' ? {} : { 'ssl.ca.pem': ca }),
    ...(cert === '' ? {} : { 'ssl.certificate.pem': cert }),
    ...(key === '' ? {} : { 'ssl.key.pem': key }),
    ...(passphrase === undefined ? {} : { 'ssl.key.password': passphrase }),
    ...(rejectUnauthorized === false ? { 'enable.ssl.certificate.verification': false } : {}),
  }
}

/** The PEM text; empty for nothing, null for another form. */
function pemOf(given: unknown): string | null {
  if (given === undefined || given === null) return ''
  const parts: unknown[] = Array.isArray(given) ? given : [given]
  const texts = parts.map(part => (typeof part === 'string' || Buffer.isBuffer(part) ? String(part) : ''))
  return texts.every(text => text.includes('-----BEGIN')) ? texts.join('\n') : null
}
