/** Makes a context of node:tls from certificates and keys; errors name the faulty property. */
import type * as Crypto from 'node:crypto'
import type * as Tls from 'node:tls'
import { ErrorCode } from '@ottla/protocol'
import { messageOf } from '../../base/unknown-error.ts'
import type { CommonSettings } from '../../config/resolve.ts'
import { KafkaError, invalidArgument } from '../../errors.ts'
import type { Material, Piece } from './material.ts'

/** A context, and its client certificate, for errors. */
export interface ReadyContext {
  readonly context: Tls.SecureContext
  /** The client's own certificate if it is known (not from a keystore). */
  readonly own: { readonly origin: string; readonly certificate: Crypto.X509Certificate } | null
  /** Whether the client has a certificate at all. */
  readonly hasOwn: boolean
}

const crypto = (): typeof Crypto => process.getBuiltinModule('node:crypto')
const tls = (): typeof Tls => process.getBuiltinModule('node:tls')

/** Throws KafkaError ERR__SSL that names the property and what is wrong with it. */
export function makeContext(material: Material, settings: CommonSettings): ReadyContext {
  const options: Tls.SecureContextOptions = { ...algorithms(settings) }
  const { ca, standardCa, cert, key, keystore, crl } = material
  if (ca !== null) {
    for (const piece of ca) checkCertificates(piece)
    options.ca = ca.map(piece => toPem(piece))
  } else if (standardCa !== null) {
    options.ca = [...standardCa]
  }
  if (crl !== null) options.crl = revocationLists(crl)
  let own: ReadyContext['own'] = null
  if (cert !== null && key !== null) {
    own = { origin: cert.origin, certificate: checkCertificates(cert) }
    const privateKey = readKey(key, settings['ssl.key.password'])
    if (!own.certificate.checkPrivateKey(privateKey)) {
      throw wrong(key.origin, `it is not the key of the certificate in ${cert.origin}`)
    }
    options.cert = toPem(cert)
    // Decrypted already: node:tls does not need the password.
    options.key = privateKey.export({ type: 'pkcs8', format: 'pem' })
  }
  if (keystore !== null) {
    const passphrase = settings['ssl.keystore.password'] ?? ''
    options.pfx = [{ buf: keystore.bytes, passphrase }]
  }
  try {
    return { context: tls().createSecureContext(options), own, hasOwn: own !== null || keystore !== null }
  } catch (error) {
    if (keystore !== null) throw keystoreError(keystore, settings, error)
    throw new KafkaError(ErrorCode.ERR__SSL, `the ssl.* properties cannot be used: ${text(error)}`, { cause: error })
  }
}

/**
 * Throws KafkaError ERR__INVALID_ARG for a list of ciphers, curves or signature algorithms that OpenSSL does not know.
 */
export function checkAlgorithms(settings: CommonSettings): void {
  const known = new Set(tls().getCiphers())
  const suites = settings['ssl.cipher.suites'] ?? ''
  for (const suite of suites.split(/[:, ]/)) {
    // OpenSSL ignores unknown suites of TLS 1.3, and all of Java's names look like one.
    if (suite.startsWith('TLS_') && !known.has(suite.toLowerCase())) {
      throw unknownAlgorithm('ssl.cipher.suites', suites, `${suite} is not a name that OpenSSL knows`)
    }
  }
  const names = ['ssl.cipher.suites', 'ssl.curves.list', 'ssl.sigalgs.list'] as const
  for (const name of names) {
    const list = settings[name]
    if (list === undefined || list === '') continue
    try {
      tls().createSecureContext(algorithms({ [name]: list }))
    } catch (error) {
      throw unknownAlgorithm(name, list, text(error), error)
    }
  }
}

type AlgorithmSettings = Partial<Pick<CommonSettings, 'ssl.cipher.suites' | 'ssl.curves.list' | 'ssl.sigalgs.list'>>

function algorithms(settings: AlgorithmSettings): Tls.SecureContextOptions {
  const { 'ssl.cipher.suites': ciphers, 'ssl.curves.list': ecdhCurve, 'ssl.sigalgs.list': sigalgs } = settings
  return {
    ...(ciphers === undefined || ciphers === '' ? {} : { ciphers }),
    ...(ecdhCurve === undefined || ecdhCurve === '' ? {} : { ecdhCurve }),
    ...(sigalgs === undefined || sigalgs === '' ? {} : { sigalgs }),
  }
}

function unknownAlgorithm(name: string, list: string, why: string, cause?: unknown): KafkaError {
  const hint = 'it takes the names of OpenSSL, separated by colons'
  return invalidArgument(`${name}=${list} is not valid: ${why}; ${hint}`, cause)
}

/** @returns the first certificate: of a chain, the client's own */
function checkCertificates(piece: Piece): Crypto.X509Certificate {
  const { X509Certificate } = crypto()
  const pems = pemBlocks(piece, 'CERTIFICATE')
  // Without PEM markers, it may be the binary form (DER) of one certificate.
  const isBinary = piece.bytes.length > 0 && !piece.bytes.includes('-----BEGIN')
  const sources = isBinary ? [piece.bytes] : pems
  const certificates = sources.map((source, i) => {
    try {
      return new X509Certificate(source)
    } catch (cause) {
      const which = sources.length > 1 ? `certificate ${i + 1} of ${sources.length} in it` : 'it'
      throw wrong(piece.origin, `${which} is not an X.509 certificate (${text(cause)})`, cause)
    }
  })
  const [first] = certificates
  if (first === undefined) throw wrong(piece.origin, `there is no certificate (PEM) in it${whatElse(piece)}`)
  return first
}

function toPem({ bytes }: Piece): string {
  return bytes.includes('-----BEGIN') ? bytes.toString() : new (crypto().X509Certificate)(bytes).toString()
}

function readKey(piece: Piece, passphrase: string | undefined): Crypto.KeyObject {
  const { createPrivateKey } = crypto()
  const isPem = piece.bytes.includes('-----BEGIN')
  const isEncrypted = /-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(
    piece.bytes.toString('latin1'),
  )
  if (isEncrypted && passphrase === undefined) {
    throw wrong(piece.origin, 'the key is encrypted and ssl.key.password is not set')
  }
  try {
    const secret = passphrase === undefined ? {} : { passphrase }
    if (isPem) return createPrivateKey({ key: piece.bytes, ...secret })
    return createPrivateKey({ key: piece.bytes, format: 'der', type: 'pkcs8', ...secret })
  } catch (cause) {
    if (isEncrypted) throw wrong(piece.origin, 'ssl.key.password does not open the key', cause)
    if (isPem && !piece.bytes.includes('PRIVATE KEY-----')) {
      throw wrong(piece.origin, `there is no private key (PEM) in it${whatElse(piece)}`, cause)
    }
    throw wrong(piece.origin, `it is not a private key (${text(cause)})`, cause)
  }
}

function revocationLists(piece: Piece): string[] {
  const lists = pemBlocks(piece, 'X509 CRL')
  if (lists.length === 0) throw wrong(piece.origin, `there is no revocation list (PEM) in it${whatElse(piece)}`)
  for (const crl of lists) {
    try {
      tls().createSecureContext({ crl })
    } catch (cause) {
      throw wrong(piece.origin, `it is not a revocation list (${text(cause)})`, cause)
    }
  }
  return lists
}

function keystoreError({ origin, bytes }: Piece, settings: CommonSettings, cause: unknown): KafkaError {
  const why = text(cause)
  if (bytes.length > 4 && bytes.readUInt32BE(0) === 0xfeedfeed) {
    return wrong(
      origin,
      'it is a Java keystore (JKS); keytool -importkeystore -deststoretype pkcs12 makes PKCS#12',
      cause,
    )
  }
  if (why.includes('mac verify failure')) {
    const isSet = settings['ssl.keystore.password'] !== undefined
    return wrong(origin, isSet ? 'ssl.keystore.password does not open it' : 'ssl.keystore.password is not set', cause)
  }
  if (why.includes('Unsupported PKCS12')) {
    const hint = 'openssl pkcs12 -legacy reads it, and -export writes it again'
    return wrong(origin, `it is encrypted in a way that OpenSSL 3 no longer reads (RC2, 3DES): ${hint}`, cause)
  }
  return wrong(origin, `it is not a PKCS#12 file (${why})`, cause)
}

function pemBlocks({ bytes }: Piece, label: 'CERTIFICATE' | 'X509 CRL'): string[] {
  const names = label === 'CERTIFICATE' ? '(?:TRUSTED |X509 )?CERTIFICATE' : 'X509 CRL'
  return bytes.toString('latin1').match(new RegExp(`-----BEGIN ${names}-----[^-]+-----END ${names}-----`, 'g')) ?? []
}

function whatElse({ bytes }: Piece): string {
  if (bytes.length === 0) return ': it is empty'
  const label = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(bytes.toString('latin1'))?.[1]
  return label === undefined ? '' : `, but a ${label.toLowerCase()}`
}

function wrong(origin: string, why: string, cause?: unknown): KafkaError {
  return new KafkaError(ErrorCode.ERR__SSL, `${origin}: ${why}`, cause === undefined ? {} : { cause })
}

function text(error: unknown): string {
  return messageOf(error)
}
