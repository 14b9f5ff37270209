import type { X509Certificate } from 'node:crypto'
import type { KafkaError } from '../../errors.ts'

/**
 * A broker's certificate, as `verifyCertificate` gets it to judge.
 * @since 0.1.0
 */
export interface BrokerCertificate {
  /** As the client addresses the broker. */
  readonly host: string
  readonly port: number
  /** The broker's own. */
  readonly certificate: X509Certificate
  /** Those above it, nearest first, as far as the broker has sent them or an authority of the client's is one. */
  readonly issuers: readonly X509Certificate[]
  /** What the check of authorities, validity, revocation and host name found wrong; null: nothing. */
  readonly error: KafkaError | null
}

/**
 * Has the last word on a broker's certificate, once for each TLS connection, before anything is sent over it: true
 * accepts it, even against `error`; false or a throw refuses the connection with ERR__SSL. Takes the place of
 * librdkafka's `ssl.certificate.verify_cb`.
 * @since 0.1.0
 */
export type VerifyCertificate = (broker: BrokerCertificate) => boolean | Promise<boolean>
