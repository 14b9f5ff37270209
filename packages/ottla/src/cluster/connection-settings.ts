import type { CommonSettings } from '../config/resolve.ts'
import { invalidArgument } from '../errors.ts'
import type { LaneSettings } from '../network/lane.ts'
import { systemNetwork } from '../network/network.ts'
import { RequestReports } from '../network/request-reports.ts'
import type { Credentials } from '../network/sasl/mechanism.ts'
import type { TlsSettings } from '../network/tls/client.ts'
import { TlsCredentials } from '../network/tls/credentials.ts'
import { namesInUse } from '../network/tls/material.ts'
import { libraryVersion } from '../version.ts'
import type { ClientContext } from './context.ts'
import { saslMechanism } from './sasl-mechanisms.ts'

/**
 * The settings of the network, from the configuration.
 * Throws KafkaError ERR__INVALID_ARG for a missing file or an unknown mechanism.
 */
export function laneSettings(
  context: ClientContext,
  credentials: () => Credentials,
  onToken: () => void,
): LaneSettings {
  const { settings } = context
  const secure = settings['security.protocol'] === 'ssl' || settings['security.protocol'] === 'sasl_ssl'
  return {
    connection: {
      clientId: settings['client.id'],
      client: context.client,
      transport: {
        network: context.network,
        recorder: context.recorder,
        tls: secure ? tlsSettings(context) : withoutTls(context),
        family: familyOf(settings['broker.address.family']),
        useAllAddresses: settings['client.dns.lookup'] === 'use_all_dns_ips',
        keepAlive: settings['socket.keepalive.enable'],
        noDelay: settings['socket.nagle.disable'],
      },
      hangUpHint: hangUpHint(settings['security.protocol']),
      maxFrameBytes: settings['receive.message.max.bytes'],
      maxFails: settings['socket.max.fails'],
      maxIdleMs: settings['connections.max.idle.ms'],
      requestReports: new RequestReports(context.clock, context.events),
    },
    handshake: {
      apiVersionTimeoutMs: settings['api.version.request.timeout.ms'],
      authTimeoutMs: settings['socket.timeout.ms'],
      softwareName: 'ottla',
      softwareVersion: libraryVersion,
      mechanism: saslMechanism(context, credentials, onToken),
    },
    setupTimeoutMs: settings['socket.connection.setup.timeout.ms'],
    reconnectBackoffMs: settings['reconnect.backoff.ms'],
    reconnectBackoffMaxMs: settings['reconnect.backoff.max.ms'],
  }
}

function hangUpHint(protocol: string): string {
  if (protocol.startsWith('sasl')) return ''
  const wanted = protocol === 'ssl' ? 'sasl_ssl' : 'sasl_plaintext'
  return `; does the listener require SASL? Then security.protocol has to be ${wanted}, with sasl.mechanisms and credentials`
}

function familyOf(family: string): 0 | 4 | 6 {
  if (family === 'v4') return 4
  return family === 'v6' ? 6 : 0
}

function withoutTls({ settings, logger, verifyCertificate }: ClientContext): null {
  const useless = namesInUse(settings)
  if (verifyCertificate !== null) useless.push('the option verifyCertificate')
  if (useless.length > 0) {
    const verb = useless.length === 1 ? 'has' : 'have'
    const why = `${useless.join(', ')} ${verb} no effect: security.protocol=${settings['security.protocol']} does not use TLS`
    logger.warning('CONFWARN', why)
  }
  return null
}

function tlsSettings({ settings, logger, network, verifyCertificate }: ClientContext): TlsSettings {
  if (network !== systemNetwork) {
    const protocol = settings['security.protocol']
    throw invalidArgument(`the option network cannot be combined with security.protocol=${protocol}: it has no TLS`)
  }
  const verifyPeer = settings['enable.ssl.certificate.verification']
  if (verifyCertificate !== null && typeof verifyCertificate !== 'function') {
    throw invalidArgument('the option verifyCertificate must be a function')
  }
  if (!verifyPeer && verifyCertificate !== null) {
    const why =
      'the option verifyCertificate is never called with enable.ssl.certificate.verification=false: set one of them only'
    throw invalidArgument(why)
  }
  return {
    credentials: new TlsCredentials(settings, logger),
    verifyPeer,
    verifyName: settings['ssl.endpoint.identification.algorithm'] === 'https',
    verify: verifyCertificate,
  }
}

/** The addresses of `bootstrap.servers`. */
export function bootstrapAddresses(settings: CommonSettings): { host: string; port: number }[] {
  return settings['bootstrap.servers'].map(({ host, port }) => ({ host, port }))
}
