/** Makes the SASL mechanism that the settings name. */
import { ErrorCode } from '@ottla/protocol'
import { messageOf } from '../base/unknown-error.ts'
import type { CommonSettings } from '../config/resolve.ts'
import { invalidArgument, KafkaError } from '../errors.ts'
import { GssapiMechanism } from '../network/sasl/gssapi.ts'
import { loadKerberos } from '../network/sasl/kerberos-package.ts'
import { KerberosTicket } from '../network/sasl/kerberos-ticket.ts'
import type { Credentials, SaslExchange, SaslMechanism } from '../network/sasl/mechanism.ts'
import { oidcTokens } from '../network/sasl/oauth/oidc.ts'
import { TokenSource } from '../network/sasl/oauth/token-source.ts'
import type { OAuthBearerTokenFunction } from '../network/sasl/oauth/token.ts'
import { unsecuredClaims, unsecuredToken } from '../network/sasl/oauth/unsecured.ts'
import { OAuthBearerMechanism } from '../network/sasl/oauthbearer.ts'
import { PlainMechanism } from '../network/sasl/plain.ts'
import { ScramMechanism } from '../network/sasl/scram.ts'
import { emitError, type ClientContext } from './context.ts'

/**
 * The mechanism; null without SASL.
 * @param onToken - called for each new token of OAUTHBEARER
 * @throws KafkaError ERR__INVALID_ARG for a mechanism that is unknown or not fully configured
 */
export function saslMechanism(
  context: ClientContext,
  credentials: () => Credentials,
  onToken: () => void,
): SaslMechanism | null {
  const { settings } = context
  const protocol = settings['security.protocol']
  if (protocol !== 'sasl_plaintext' && protocol !== 'sasl_ssl') return null
  if (context.saslMechanism !== null) return ownMechanism(context.saslMechanism)
  const name = settings['sasl.mechanisms'].toUpperCase()
  switch (name) {
    case 'PLAIN':
      requirePassword(settings, name)
      return new PlainMechanism(credentials)
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-512':
      requirePassword(settings, name)
      return new ScramMechanism(name, credentials, {
        isToken: settings['ottla.sasl.scram.tokenauth'],
        threads: context.threads,
      })
    case 'OAUTHBEARER':
      return new OAuthBearerMechanism(tokenSource(context, onToken))
    case 'GSSAPI':
      return gssapi(context)
    default: {
      const why = `sasl.mechanisms=${name} is not valid: it takes PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or GSSAPI`
      throw invalidArgument(why)
    }
  }
}

/** The application's own mechanism: whatever it throws is a failure to authenticate. */
function ownMechanism(given: SaslMechanism): SaslMechanism {
  if (typeof given.name !== 'string' || given.name === '' || typeof given.exchange !== 'function') {
    throw invalidArgument('the option saslMechanism takes a name and a function exchange(host, port)')
  }
  const step = async <T>(take: () => T | Promise<T>): Promise<T> => {
    try {
      return await take()
    } catch (error) {
      if (error instanceof KafkaError) throw error
      throw new KafkaError(ErrorCode.ERR__AUTHENTICATION, messageOf(error), { cause: error })
    }
  }
  return {
    name: given.name,
    exchange: (host, port) => {
      let exchange: SaslExchange | null = null
      const begun = (): SaslExchange => (exchange ??= given.exchange(host, port))
      return { start: () => step(() => begun().start()), next: challenge => step(() => begun().next(challenge)) }
    },
    close: () => given.close?.(),
  }
}

function tokenSource(context: ClientContext, onToken: () => void): TokenSource {
  const { settings, clock, events } = context
  const config = settings['sasl.oauthbearer.config'] ?? ''
  return new TokenSource(clock, tokenFunction(context, config), config, {
    request: () => {
      const hasListener = events.hasListener('oauthbearer-token-refresh')
      events.emit({ type: 'oauthbearer-token-refresh', config })
      return hasListener
    },
    onToken,
    raise: error => emitError(context, error),
  })
}

/** The application's token function, or one from the properties; null if events ask the application for tokens. */
function tokenFunction(context: ClientContext, config: string): OAuthBearerTokenFunction | null {
  const { settings, clock, oauthBearerToken } = context
  const isUnsecured = settings['enable.sasl.oauthbearer.unsecure.jwt']
  if (oauthBearerToken !== null) {
    if (typeof oauthBearerToken !== 'function') throw invalidArgument('the option oauthBearerToken must be a function')
    if (!isUnsecured) return oauthBearerToken
    throw invalidArgument('enable.sasl.oauthbearer.unsecure.jwt and the option oauthBearerToken cannot both be set')
  }
  if (settings['sasl.oauthbearer.method'] === 'oidc') {
    if (settings['sasl.oauthbearer.metadata.authentication.type'] !== 'aws_iam') return oidcTokens(settings, clock)
    throw invalidArgument(
      'sasl.oauthbearer.metadata.authentication.type=aws_iam is not built in: pass the option oauthBearerToken; for Amazon MSK, use mskIamTokens({ region })',
    )
  }
  if (!isUnsecured) return null
  const claims = unsecuredClaims(config)
  return () => unsecuredToken(claims, clock.wallTime())
}

function gssapi(context: ClientContext): SaslMechanism {
  const { settings, clock, logger } = context
  const kerberos = context.kerberos ?? loadKerberos()
  const command = settings['sasl.kerberos.kinit.cmd']
  // Without a keytab or a command, somebody else takes care of the ticket.
  const renewsTicket = settings['sasl.kerberos.keytab'] !== undefined || command !== undefined
  const ticket = renewsTicket ? new KerberosTicket(settings, clock, logger, error => emitError(context, error)) : null
  return new GssapiMechanism(kerberos, settings['sasl.kerberos.service.name'], ticket)
}

function requirePassword(settings: CommonSettings, name: string): void {
  if (settings['sasl.username'] !== undefined && settings['sasl.password'] !== undefined) return
  const why = `sasl.mechanisms=${name} needs sasl.username and sasl.password`
  throw invalidArgument(why)
}
