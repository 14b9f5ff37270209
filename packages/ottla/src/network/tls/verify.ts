import type { X509Certificate } from 'node:crypto'
import type { KafkaError } from '../../errors.ts'

/**
 * A broker's certificate, for `verifyCertificate` to check.
 * @since 0.1.0
 */
export interface BrokerCertificate {
  /** The host name by which the client connects to the broker. */
  readonly host: string
  readonly port: number
  /** The broker's own certificate. */
  readonly certificate: X509Certificate
  /** Its chain, nearest issuer first: those that the broker sent, and the client's matching authority. */
  readonly issuers: readonly X509Certificate[]
  /** The error of the checks of authority, validity, revocation and host name; null if they passed. */
  readonly error: KafkaError | null
}

/**
 * Decides on a broker's certificate, once per TLS connection, before anything is sent over it: true accepts it, even
 * with an `error`; false or a throw fails the connection with ERR__SSL. Replaces librdkafka's
 * `ssl.certificate.verify_cb`.
 * @since 0.1.0
 */
export type VerifyCertificate = (broker: BrokerCertificate) => boolean | Promise<boolean>
