/** Which way of authenticating the settings ask for. */
import { ErrorCode } from '@ottla/protocol'
import type { CommonSettings } from '../config/resolve.ts'
import { KafkaError } from '../errors.ts'
import { GssapiMechanism } from '../network/sasl/gssapi.ts'
import { loadKerberos } from '../network/sasl/kerberos-package.ts'
import { KerberosTicket } from '../network/sasl/kerberos-ticket.ts'
import type { Credentials, SaslMechanism } from '../network/sasl/mechanism.ts'
import { PlainMechanism } from '../network/sasl/plain.ts'
import { ScramMechanism } from '../network/sasl/scram.ts'
import { emitError, type ClientContext } from './context.ts'

/**
 * Null without SASL.
 * @throws KafkaError ERR__INVALID_ARG for a mechanism that is not offered or lacks something
 */
export function saslMechanism(context: ClientContext, credentials: () => Credentials): SaslMechanism | null {
  const { settings } = context
  const protocol = settings['security.protocol']
  if (protocol !== 'sasl_plaintext' && protocol !== 'sasl_ssl') return null
  const name = settings['sasl.mechanisms'].toUpperCase()
  switch (name) {
    case 'PLAIN':
      requirePassword(settings, name)
      return new PlainMechanism(credentials)
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-512':
      requirePassword(settings, name)
      return new ScramMechanism(name, credentials)
    case 'GSSAPI':
      return gssapi(context)
    default: {
      const why = `sasl.mechanisms=${name} is not available in this version; PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and GSSAPI are`
      throw new KafkaError(ErrorCode.ERR__INVALID_ARG, why)
    }
  }
}

function gssapi(context: ClientContext): SaslMechanism {
  const { settings, clock, logger } = context
  const kerberos = context.kerberos ?? loadKerberos()
  const command = settings['sasl.kerberos.kinit.cmd']
  // Without a key table somebody else looks after the ticket, unless the program says how.
  const hasWay = settings['sasl.kerberos.keytab'] !== undefined || command !== undefined
  const ticket = hasWay ? new KerberosTicket(settings, clock, logger, error => emitError(context, error)) : null
  return new GssapiMechanism(kerberos, settings['sasl.kerberos.service.name'], ticket)
}

function requirePassword(settings: CommonSettings, name: string): void {
  if (settings['sasl.username'] !== undefined && settings['sasl.password'] !== undefined) return
  const why = `sasl.mechanisms=${name} needs sasl.username and sasl.password`
  throw new KafkaError(ErrorCode.ERR__INVALID_ARG, why)
}
