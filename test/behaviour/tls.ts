/** Clients over TLS: the certificates they present, the checks they make, and their errors. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Consumer, ErrorCode, Producer, type ClientConfig, type KafkaError, type ProducerOptions } from 'ottla'
import { Authority, when, type Identity } from '../harness/certificates.ts'
import { fresh, passwords } from './world.ts'

/** Listeners of a cluster whose brokers present a certificate for 127.0.0.1 only. */
export interface TlsWorld {
  /** Requires a client certificate of `authority`; its common name is the user, and `admin` may do everything. */
  readonly certificateServers: string
  /** Requires SASL PLAIN over TLS. */
  readonly passwordServers: string
  /** Without TLS. */
  readonly plainServers: string
  /** The CA of the brokers' certificates. */
  readonly authority: Authority
  /** The brokers' certificates, in files. */
  readonly brokers: readonly { readonly certFile: string }[]
  close(): Promise<void>
}

// For a broker that closes the connection without a reason, the client can only guess.
const refused = [ErrorCode.ERR__SSL, ErrorCode.ERR__TRANSPORT]

const quiet: ProducerOptions = { logger: () => undefined }

export function tlsScenarios(start: () => Promise<TlsWorld>): void {
  let world: TlsWorld
  let admin: Identity
  let stranger: Authority

  before(async () => {
    world = await start()
    admin = world.authority.issue({ subject: '/O=Example/CN=admin' })
    stranger = Authority.make('Somebody else')
  })

  after(() => world.close())

  const byCertificate = (config: Partial<ClientConfig> = {}): ClientConfig => ({
    'bootstrap.servers': world.certificateServers,
    'security.protocol': 'ssl',
    'ssl.ca.location': world.authority.certFile,
    ...config,
  })
  const asAdmin = (config: Partial<ClientConfig> = {}): ClientConfig =>
    byCertificate({ 'ssl.certificate.location': admin.certFile, 'ssl.key.location': admin.keyFile, ...config })
  const byPassword = (config: Partial<ClientConfig> = {}): ClientConfig => ({
    'bootstrap.servers': world.passwordServers,
    'security.protocol': 'sasl_ssl',
    'ssl.ca.pem': world.authority.cert,
    'sasl.mechanisms': 'PLAIN',
    'sasl.username': 'admin',
    'sasl.password': passwords['admin'] ?? '',
    ...config,
  })

  async function works(config: ClientConfig, options: ProducerOptions = {}): Promise<void> {
    const topic = fresh('tls')
    const producer = new Producer(config, options)
    const report = await producer.send({ topic, value: 'x' })
    assert.equal(report.status, 'persisted')
    await producer.close()
  }

  /** @param codes one of them */
  async function fails(
    config: ClientConfig,
    codes: number | readonly number[],
    message: RegExp,
    options = quiet,
  ): Promise<void> {
    const producer = new Producer(config, options)
    const error = await new Promise<KafkaError>(resolve => producer.on('error', event => resolve(event.error)))
    await producer.close(0)
    assert.ok([codes].flat().includes(error.code), `${error.name}: ${error.message}`)
    assert.match(error.message, message)
  }

  test('a client shows its certificate, from files, as text with an encrypted key, or out of a keystore', async () => {
    await works(asAdmin())
    await works(
      byCertificate({
        'ssl.certificate.pem': admin.cert,
        'ssl.key.location': world.authority.encryptedKey(admin, 'key password'),
        'ssl.key.password': 'key password',
      }),
    )
    await works(
      byCertificate({
        'ssl.keystore.location': world.authority.keystore(admin, 'store password'),
        'ssl.keystore.password': 'store password',
      }),
    )
  })

  test('messages are read back over TLS, authenticated by a password or by a certificate', async () => {
    for (const config of [asAdmin(), byPassword()]) {
      const topic = fresh('tls')
      const producer = new Producer(config)
      await producer.sendBatch(['a', 'b', 'c'].map(value => ({ topic, value, partition: 0 })))
      await producer.close()
      const consumer = new Consumer({ ...config, 'group.id': fresh('group') })
      await consumer.assign([{ topic, partition: 0, offset: 0 }])
      const values: string[] = []
      while (values.length < 3) values.push(String((await consumer.readMessage(20_000)).value))
      await consumer.close()
      assert.deepEqual(values, ['a', 'b', 'c'])
    }
  })

  test('CAs may be in a folder', async () => {
    const folder = join(world.authority.folder, 'authorities')
    mkdirSync(folder)
    copyFileSync(stranger.certFile, join(folder, 'stranger.pem'))
    copyFileSync(world.authority.certFile, join(folder, 'ours.pem'))
    await works(asAdmin({ 'ssl.ca.location': folder }))
  })

  test('a wrong password over TLS is an authentication error', async () => {
    await fails(byPassword({ 'sasl.password': 'wrong' }), ErrorCode.ERR__AUTHENTICATION, /PLAIN authentication failed/)
  })

  test('a broker with an unknown CA is refused with its name, unless verification is off', async () => {
    const config = asAdmin({ 'ssl.ca.location': stranger.certFile })
    await fails(
      config,
      ErrorCode.ERR__SSL,
      /certificate \(.*CN=broker.*\), issued by CN=.*is not from a trusted authority; ssl\.ca\.location/,
    )
    // The public CAs do not know it either.
    const { 'ssl.ca.location': _, ...standard } = config
    await fails(standard, ErrorCode.ERR__SSL, /is not from a trusted authority/)
    await works({ ...config, 'enable.ssl.certificate.verification': false })
  })

  test('a certificate for another host is refused, unless names do not matter', async () => {
    const byName = world.certificateServers.replaceAll('127.0.0.1', 'localhost')
    const config = asAdmin({ 'bootstrap.servers': byName, 'broker.address.family': 'v4' })
    await fails(
      config,
      ErrorCode.ERR__SSL,
      /certificate is not for localhost: .*ssl\.endpoint\.identification\.algorithm/,
    )
    await works({ ...config, 'ssl.endpoint.identification.algorithm': 'none' })
  })

  test('the error of a client without a certificate says that the broker wants one', async () => {
    await fails(byCertificate(), refused, /requires a client certificate: set ssl\.certificate\.\*/)
  })

  test('the error of a client whose certificate the broker refuses says which one, and if it has expired', async () => {
    const other = stranger.issue({ subject: '/CN=admin' })
    await fails(
      byCertificate({ 'ssl.certificate.location': other.certFile, 'ssl.key.location': other.keyFile }),
      refused,
      /does not accept the certificate in ssl\.certificate\.location=.*CN=admin, issued by CN=Somebody else/,
    )
    const hour = 3_600_000
    const old = world.authority.issue({
      subject: '/CN=admin',
      from: when(Date.now() - 3 * hour),
      until: when(Date.now() - hour),
    })
    await fails(
      byCertificate({ 'ssl.certificate.pem': old.cert, 'ssl.key.pem': old.key }),
      refused,
      /the certificate in ssl\.certificate\.pem has expired \(valid until /,
    )
  })

  test('a certificate that is replaced in its file is used by the next connection', async () => {
    const old = stranger.issue({ subject: '/CN=admin' })
    const certificate = join(world.authority.folder, 'rotated.pem')
    const key = join(world.authority.folder, 'rotated.key')
    copyFileSync(old.certFile, certificate)
    copyFileSync(old.keyFile, key)
    const producer = new Producer(
      byCertificate({ 'ssl.certificate.location': certificate, 'ssl.key.location': key }),
      quiet,
    )
    const sent = producer.send({ topic: fresh('tls'), value: 'x' })
    await new Promise<unknown>(resolve => producer.on('error', resolve))
    copyFileSync(admin.certFile, certificate)
    copyFileSync(admin.keyFile, key)
    assert.equal((await sent).status, 'persisted')
    await producer.close()
  })

  test('a broker whose certificate was revoked is refused', async () => {
    await works(asAdmin({ 'ssl.crl.location': world.authority.revocationList() }))
    for (const broker of world.brokers) world.authority.revoke(broker)
    const list = world.authority.revocationList()
    await fails(asAdmin({ 'ssl.crl.location': list }), ErrorCode.ERR__SSL, /CN=broker.* has been revoked/)
  })

  test('verifyCertificate accepts and refuses brokers, and gets the error of the checks', async () => {
    const seen: string[] = []
    const config = asAdmin({ 'ssl.ca.location': stranger.certFile })
    await works(config, {
      verifyCertificate: async ({ host, certificate, error }) => {
        seen.push(`${host} ${error?.name} ${error?.message.includes('not from a trusted authority')}`)
        return Promise.resolve(certificate.subject.includes('CN=broker'))
      },
    })
    assert.deepEqual([...new Set(seen)], ['127.0.0.1 ERR__SSL true'])
    await works(asAdmin(), { verifyCertificate: ({ error }) => error === null })
    await fails(asAdmin(), ErrorCode.ERR__SSL, /CN=broker.*verifyCertificate does not accept it/, {
      ...quiet,
      verifyCertificate: () => false,
    })
    await fails(asAdmin(), ErrorCode.ERR__SSL, /verifyCertificate threw: not today/, {
      ...quiet,
      verifyCertificate: () => Promise.reject(new Error('not today')),
    })
  })

  test('ciphers, curves and signature algorithms are used, and named when broker and client share none', async () => {
    await works(
      asAdmin({
        'ssl.cipher.suites': 'ECDHE-ECDSA-AES128-GCM-SHA256',
        'ssl.curves.list': 'P-256',
        'ssl.sigalgs.list': 'ECDSA+SHA256',
      }),
    )
    // The brokers' keys are not RSA.
    const config = asAdmin({ 'ssl.sigalgs.list': 'RSA-PSS+SHA256' })
    await fails(config, ErrorCode.ERR__SSL, /no cipher, curve or signature algorithm in common .*ssl\.cipher\.suites/)
  })

  test('TLS to a plain listener, and plain text to a TLS listener, are reported as such', async () => {
    await fails(
      asAdmin({ 'bootstrap.servers': world.plainServers }),
      ErrorCode.ERR__TRANSPORT,
      /in the TLS handshake; does the port speak TLS\?/,
    )
    const plain = { 'bootstrap.servers': world.certificateServers, 'security.protocol': 'plaintext' } as const
    await fails(plain, [ErrorCode.ERR__TRANSPORT, ErrorCode.ERR__BAD_MSG], /speaks? TLS.*security\.protocol.*ssl/)
  })
}
