/**
 * Loads the package `kerberos`. It compiles native code when installed, so applications install it only if they need
 * it.
 */
import { loadPackage } from '../../base/load-package.ts'
import { invalidArgument } from '../../errors.ts'

/** A GSS-API security context; tokens are in base64. */
export interface KerberosClient {
  readonly contextComplete: boolean
  /** @returns the next token for the other end; null or empty for none */
  step(challenge: string): Promise<string | null>
  unwrap(challenge: string): Promise<string>
  wrap(data: string, options: { readonly protect?: boolean }): Promise<string>
}

/**
 * The part of the package `kerberos` (7 and later) that the client uses.
 * @since 0.1.0
 */
export interface KerberosPackage {
  /** @param service - `kafka@host` */
  initializeClient(service: string, options: { readonly mechOID?: number }): Promise<KerberosClient>
}

/** @throws KafkaError ERR__INVALID_ARG that says how to install it */
export function loadKerberos(): KerberosPackage {
  try {
    return loadPackage('kerberos') as KerberosPackage // what the package exports
  } catch (cause) {
    const why =
      'sasl.mechanisms=GSSAPI needs the package kerberos, which cannot be loaded: `npm install kerberos`, or pass it as the option kerberos'
    throw invalidArgument(why, cause)
  }
}
