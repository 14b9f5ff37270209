/** Certificates and keys from the `ssl.*` properties: errors, and when files are read again. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Authority } from '../../../../../test/harness/certificates.ts'
import { resolveConfig, type ClientConfig, type Settings } from '../../../src/config/resolve.ts'
import { ErrorCode, KafkaError } from '../../../src/errors.ts'
import { TlsCredentials } from '../../../src/network/tls/credentials.ts'
import { Logger } from '../../../src/observe/logger.ts'

const authority = Authority.make('Credentials')
const alice = authority.issue({ subject: '/CN=alice' })
const bob = authority.issue({ subject: '/CN=bob' })
const lines: string[] = []
const logger = new Logger((_level, facility, message) => lines.push(`${facility}: ${message}`), 6, new Set())

function file(name: string, content: string | Buffer): string {
  const path = join(authority.folder, name)
  writeFileSync(path, content)
  return path
}

function settings(config: Partial<ClientConfig>): Settings {
  return resolveConfig('admin', { 'bootstrap.servers': 'localhost:1', ...config }).settings
}

const credentials = (config: Partial<ClientConfig>): TlsCredentials => new TlsCredentials(settings(config), logger)

/** The error of a configuration: of the constructor, or of reading the files. */
async function refusal(config: Partial<ClientConfig>): Promise<string> {
  try {
    await credentials(config).current()
  } catch (error) {
    assert.ok(error instanceof KafkaError)
    return `${error.name} ${error.message}`
  }
  return 'nothing'
}

test('properties that contradict each other are refused by the constructor', () => {
  const keystore = authority.keystore(alice, 'x')
  const cases: [Partial<ClientConfig>, RegExp][] = [
    [{ 'ssl.key.pem': alice.key }, /ssl\.key\.\* needs the certificate/],
    [{ 'ssl.certificate.location': alice.certFile }, /ssl\.certificate\.\* needs the private key/],
    [
      { 'ssl.key.pem': alice.key, 'ssl.key.location': alice.keyFile },
      /ssl\.key\.pem and ssl\.key\.location cannot both/,
    ],
    [
      { 'ssl.keystore.location': keystore, 'ssl.certificate.pem': alice.cert, 'ssl.key.pem': alice.key },
      /ssl\.keystore\.location contains key and certificate: ssl\.certificate\.\* cannot be set/,
    ],
    [{ 'ssl.crl.location': '/no/such/list' }, /ssl\.crl\.location=\/no\/such\/list cannot be read: ENOENT/],
    [{ 'ssl.cipher.suites': 'ROT13' }, /ssl\.cipher\.suites=ROT13 is not valid: .*no cipher match/],
    [{ 'ssl.cipher.suites': 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA' }, /is not a name that OpenSSL knows/],
    [{ 'ssl.curves.list': 'round' }, /ssl\.curves\.list=round is not valid/],
    [{ 'ssl.sigalgs.list': 'X' }, /ssl\.sigalgs\.list=X is not valid/],
  ]
  for (const [config, message] of cases) {
    assert.throws(
      () => credentials(config),
      (error: KafkaError) => {
        assert.equal(error.code, ErrorCode.ERR__INVALID_ARG)
        assert.match(error.message, message)
        return true
      },
    )
  }
})

test('the error of a file or a text names its property', async () => {
  const own = { 'ssl.certificate.pem': alice.cert }
  const encrypted = authority.encryptedKey(alice, 'right')
  const keystore = authority.keystore(alice, 'right')
  const garbage = file('garbage', 'garbage')
  const empty = file('empty', '')
  const jks = file('java.jks', Buffer.from('feedfeed00000002', 'hex'))
  const broken = alice.cert.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA')
  const two = file('two.pem', authority.cert + broken)
  const cases: [Partial<ClientConfig>, string][] = [
    [{ 'ssl.ca.pem': 'garbage' }, 'ssl.ca.pem: it is not an X.509 certificate'],
    [{ 'ssl.ca.location': empty }, `ssl.ca.location=${empty}: there is no certificate (PEM) in it: it is empty`],
    [{ 'ssl.ca.location': two }, `ssl.ca.location=${two}: certificate 2 of 2 in it is not an X.509 certificate`],
    [{ 'ssl.ca.pem': alice.key }, 'ssl.ca.pem: there is no certificate (PEM) in it, but a private key'],
    [{ ...own, 'ssl.key.pem': bob.key }, 'ssl.key.pem: it is not the key of the certificate in ssl.certificate.pem'],
    [{ ...own, 'ssl.key.pem': alice.cert }, 'ssl.key.pem: there is no private key (PEM) in it, but a certificate'],
    [{ ...own, 'ssl.key.location': garbage }, `ssl.key.location=${garbage}: it is not a private key`],
    [
      { ...own, 'ssl.key.location': encrypted },
      `ssl.key.location=${encrypted}: the key is encrypted and ssl.key.password is not set`,
    ],
    [
      { ...own, 'ssl.key.location': encrypted, 'ssl.key.password': 'wrong' },
      `ssl.key.location=${encrypted}: ssl.key.password does not open the key`,
    ],
    [{ 'ssl.keystore.location': keystore }, `ssl.keystore.location=${keystore}: ssl.keystore.password is not set`],
    [
      { 'ssl.keystore.location': keystore, 'ssl.keystore.password': 'wrong' },
      `ssl.keystore.location=${keystore}: ssl.keystore.password does not open it`,
    ],
    [{ 'ssl.keystore.location': garbage }, `ssl.keystore.location=${garbage}: it is not a PKCS#12 file`],
    [{ 'ssl.keystore.location': jks }, `ssl.keystore.location=${jks}: it is a Java keystore (JKS)`],
    [{ 'ssl.crl.location': garbage }, `ssl.crl.location=${garbage}: there is no revocation list (PEM) in it`],
    [{ 'ssl.crl.location': alice.certFile }, 'there is no revocation list (PEM) in it, but a certificate'],
  ]
  for (const [config, message] of cases) {
    const told = await refusal(config)
    assert.ok(
      /^ERR__(SSL|INVALID_ARG) /.test(told) && told.includes(message),
      `${told}\nwhere this was due: ${message}`,
    )
    assert.ok(!/wrong|right/.test(told.replace(/"?wrong tag"?/, '')), `a password in: ${told}`)
  }
})

test('a text is checked by the constructor, which needs no file for it', () => {
  assert.throws(() => credentials({ 'ssl.ca.pem': 'garbage' }), /ssl\.ca\.pem: it is not an X\.509 certificate/)
  assert.throws(
    () => credentials({ 'ssl.certificate.pem': alice.cert, 'ssl.key.pem': bob.key }),
    /ssl\.key\.pem: it is not the key/,
  )
})

test('binary certificates and keys are accepted too, and the text of a properties file with its \\n', async () => {
  const der = file('ca.der', new X509Certificate(authority.cert).raw)
  assert.equal(await refusal({ 'ssl.ca.location': der }), 'nothing')
  assert.equal(await refusal({ 'ssl.ca.pem': authority.cert.replaceAll('\n', '\\n') }), 'nothing')
})

test('unless files have changed, the same context serves all connections', async () => {
  const cert = file('rotating.pem', alice.cert)
  const key = file('rotating.key', alice.key)
  const rotating = credentials({
    'ssl.certificate.location': cert,
    'ssl.key.location': key,
    'ssl.ca.pem': authority.cert,
  })
  const first = await rotating.current()
  assert.equal(await rotating.current(), first)
  const [one, other] = await Promise.all([rotating.current(), rotating.current()])
  assert.equal(one, other)

  lines.length = 0
  writeFileSync(cert, bob.cert)
  assert.equal(await rotating.current(), first, 'half of a rotation changes nothing')
  assert.match(
    lines.join('\n'),
    /^SSLRELOAD: ssl\.key\.location=.* it is not the key of .*; still using what was read before$/,
  )

  lines.length = 0
  writeFileSync(key, bob.key)
  const second = await rotating.current()
  assert.notEqual(second, first)
  assert.match(second.own?.certificate.subject ?? '', /CN=bob/)
  assert.deepEqual(lines, ['SSLRELOAD: certificates or keys have changed: using the new ones'])

  rmSync(cert)
  assert.equal(await rotating.current(), second, 'a file that is gone takes nothing away')
})

test('without an authority in the configuration, those of the system and of Node.js are trusted', async () => {
  assert.equal(await refusal({}), 'nothing')
  assert.equal(await refusal({ 'ssl.ca.location': 'probe' }), 'nothing')
})

test('an authority file that was missing at the first connection is read once it exists', async () => {
  const path = file('late.pem', readFileSync(authority.certFile))
  const late = credentials({ 'ssl.ca.location': path })
  rmSync(path)
  await assert.rejects(late.current(), /ssl\.ca\.location=.* cannot be read: ENOENT/)
  writeFileSync(path, authority.cert)
  assert.ok(await late.current())
})
