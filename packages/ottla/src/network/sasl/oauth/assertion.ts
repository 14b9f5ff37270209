/** Signed assertions that authenticate a client (RFC 7523); a new one for each token. */
import type { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { crypto } from '../../../base/crypto.ts'
import { messageOf } from '../../../base/unknown-error.ts'
import type { CommonSettings } from '../../../config/resolve.ts'
import { KafkaError, invalidArgument } from '../../../errors.ts'

/**
 * The assertion that `sasl.oauthbearer.assertion.*` describe; files are read each time, so that they may change.
 * @param now - ms since the epoch
 * @throws KafkaError ERR__INVALID_ARG for a file or key that cannot be used
 */
export function assertionOf(settings: CommonSettings, now: number): string {
  const ready = settings['sasl.oauthbearer.assertion.file']
  if (ready !== undefined) return contents('sasl.oauthbearer.assertion.file', ready).trim()
  const algorithm = settings['sasl.oauthbearer.assertion.algorithm']
  const template = templateOf(settings)
  const seconds = Math.floor(now / 1000)
  const header = { ...template.header, alg: algorithm, typ: 'JWT' }
  const payload = {
    ...template.payload,
    iat: seconds,
    exp: seconds + settings['sasl.oauthbearer.assertion.claim.exp.seconds'],
    nbf: seconds - settings['sasl.oauthbearer.assertion.claim.nbf.seconds'],
    ...(settings['sasl.oauthbearer.assertion.claim.jti.include'] ? { jti: crypto().randomUUID() } : {}),
    ...claim('aud', settings['sasl.oauthbearer.assertion.claim.aud']),
    ...claim('iss', settings['sasl.oauthbearer.assertion.claim.iss']),
    ...claim('sub', settings['sasl.oauthbearer.assertion.claim.sub']),
  }
  const signed = `${encoded(header)}.${encoded(payload)}`
  const key = privateKey(settings)
  // ES256 takes the two numbers of the signature side by side, not in DER.
  const how = algorithm === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' as const } : key
  try {
    return `${signed}.${crypto().sign('sha256', Buffer.from(signed), how).toString('base64url')}`
  } catch (cause) {
    throw invalidArgument(`the private key of the assertion cannot sign with ${algorithm}`, cause)
  }
}

function privateKey(settings: CommonSettings): KeyObject {
  const file = settings['sasl.oauthbearer.assertion.private.key.file']
  const pem =
    settings['sasl.oauthbearer.assertion.private.key.pem'] ??
    contents('sasl.oauthbearer.assertion.private.key.file', file ?? '')
  const passphrase = settings['sasl.oauthbearer.assertion.private.key.passphrase']
  const algorithm = settings['sasl.oauthbearer.assertion.algorithm']
  let key: KeyObject
  try {
    key = crypto().createPrivateKey({ key: pem, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) })
  } catch (cause) {
    // OpenSSL's message contains no part of the key.
    throw invalidArgument(
      'sasl.oauthbearer.assertion.private.key cannot be read: is it PEM, and the passphrase right?',
      cause,
    )
  }
  const needed = algorithm === 'ES256' ? 'ec' : 'rsa'
  if (key.asymmetricKeyType === needed) return key
  throw invalidArgument(`sasl.oauthbearer.assertion.algorithm=${algorithm} needs a key of another kind (${needed})`)
}

function templateOf(settings: CommonSettings): { header?: object; payload?: object } {
  const name = 'sasl.oauthbearer.assertion.jwt.template.file'
  const file = settings[name]
  if (file === undefined) return {}
  try {
    const value = JSON.parse(contents(name, file)) as { header?: object; payload?: object }
    return { header: value.header ?? {}, payload: value.payload ?? {} }
  } catch (cause) {
    if (cause instanceof KafkaError) throw cause
    throw invalidArgument(`${name} is not a JSON object with header and payload`, cause)
  }
}

function contents(property: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw invalidArgument(`${property} cannot be read: ${messageOf(cause)}`, cause)
  }
}

function claim(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value }
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
