import { readFileSync } from 'node:fs'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { ErrorCode } from '@ottla/protocol'
import type { CommonSettings } from '../config/resolve.ts'
import { KafkaError } from '../errors.ts'
import type { LaneSettings } from '../network/lane.ts'
import type { Credentials, SaslMechanism } from '../network/sasl/mechanism.ts'
import { PlainMechanism } from '../network/sasl/plain.ts'
import { libraryVersion } from '../version.ts'

/**
 * Everything that the network needs to know, from the settings. Reads certificate and key files once.
 * Throws KafkaError ERR__INVALID_ARG for a file that cannot be read or a mechanism that is not offered.
 */
export function laneSettings(settings: CommonSettings, credentials: () => Credentials): LaneSettings {
  const secure = settings['security.protocol'] === 'ssl' || settings['security.protocol'] === 'sasl_ssl'
  return {
    connection: {
      clientId: settings['client.id'],
      transport: {
        tls: secure ? tlsOptions(settings) : null,
        family: familyOf(settings['broker.address.family']),
        useAllAddresses: settings['client.dns.lookup'] === 'use_all_dns_ips',
        keepAlive: settings['socket.keepalive.enable'],
        noDelay: settings['socket.nagle.disable'],
      },
      maxFrameBytes: settings['receive.message.max.bytes'],
      maxFails: settings['socket.max.fails'],
      maxIdleMs: settings['connections.max.idle.ms'],
    },
    handshake: {
      apiVersionTimeoutMs: settings['api.version.request.timeout.ms'],
      authTimeoutMs: settings['socket.timeout.ms'],
      softwareName: 'ottla',
      softwareVersion: libraryVersion,
      mechanism: saslMechanism(settings, credentials),
    },
    setupTimeoutMs: settings['socket.connection.setup.timeout.ms'],
    reconnectBackoffMs: settings['reconnect.backoff.ms'],
    reconnectBackoffMaxMs: settings['reconnect.backoff.max.ms'],
  }
}

function familyOf(family: string): 0 | 4 | 6 {
  if (family === 'v4') return 4
  return family === 'v6' ? 6 : 0
}

function saslMechanism(settings: CommonSettings, credentials: () => Credentials): SaslMechanism | null {
  const protocol = settings['security.protocol']
  if (protocol !== 'sasl_plaintext' && protocol !== 'sasl_ssl') return null
  const name = settings['sasl.mechanisms'].toUpperCase()
  if (name === 'PLAIN') {
    if (settings['sasl.username'] === undefined || settings['sasl.password'] === undefined) {
      const why = 'sasl.mechanisms=PLAIN needs sasl.username and sasl.password'
      throw new KafkaError(ErrorCode.ERR__INVALID_ARG, why)
    }
    return new PlainMechanism(credentials)
  }
  const why = `sasl.mechanisms=${name} is not available in this version; PLAIN is`
  throw new KafkaError(ErrorCode.ERR__INVALID_ARG, why)
}

function tlsOptions(settings: CommonSettings): TlsOptions {
  const options: TlsOptions = {}
  const ca = settings['ssl.ca.pem'] ?? read(settings, 'ssl.ca.location')
  const cert = settings['ssl.certificate.pem'] ?? read(settings, 'ssl.certificate.location')
  const key = settings['ssl.key.pem'] ?? read(settings, 'ssl.key.location')
  const pfx = read(settings, 'ssl.keystore.location')
  const crl = read(settings, 'ssl.crl.location')
  const passphrase = settings['ssl.key.password'] ?? settings['ssl.keystore.password']
  if (ca !== undefined) options.ca = ca
  if (cert !== undefined) options.cert = cert
  if (key !== undefined) options.key = key
  if (pfx !== undefined) options.pfx = pfx
  if (crl !== undefined) options.crl = crl
  if (passphrase !== undefined) options.passphrase = passphrase
  const ciphers = settings['ssl.cipher.suites']
  const curves = settings['ssl.curves.list']
  const sigalgs = settings['ssl.sigalgs.list']
  if (ciphers !== undefined) options.ciphers = ciphers
  if (curves !== undefined) options.ecdhCurve = curves
  if (sigalgs !== undefined) options.sigalgs = sigalgs
  options.rejectUnauthorized = settings['enable.ssl.certificate.verification']
  // Returning nothing means that the name on the certificate does not matter.
  if (settings['ssl.endpoint.identification.algorithm'] === 'none') options.checkServerIdentity = () => undefined
  return options
}

type FileSetting =
  'ssl.ca.location' | 'ssl.certificate.location' | 'ssl.key.location' | 'ssl.keystore.location' | 'ssl.crl.location'

function read(settings: CommonSettings, key: FileSetting): Buffer | undefined {
  const path = settings[key]
  if (path === undefined || path === '') return undefined
  try {
    return readFileSync(path)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new KafkaError(ErrorCode.ERR__INVALID_ARG, `${key}=${path} cannot be read: ${why}`, { cause: error })
  }
}

/** The addresses of `bootstrap.servers`; port 9092 where none is given. */
export function bootstrapAddresses(settings: CommonSettings): { host: string; port: number }[] {
  return settings['bootstrap.servers'].map(({ host, port }) => ({ host, port }))
}
