/** TLS of the listeners, and who a client's certificate says that it is. */
import type { TLSSocket, TlsOptions } from 'node:tls'

export interface TlsSettings {
  /** PEM. */
  readonly key: string | Buffer
  /** PEM. */
  readonly cert: string | Buffer
  /** Authorities that clients' certificates are checked against, PEM. */
  readonly ca?: string | Buffer
  /**
   * Whether clients show a certificate, as Kafka's `ssl.client.auth`. One that is shown has to be good, `requested` or
   * `required`. Without SASL its subject is the client's principal: `User:CN=alice,O=Example`.
   */
  readonly clientAuth?: 'none' | 'requested' | 'required'
  /** Makes the principal's name of the certificate's subject (`CN=alice,O=Example`); as it is by default. */
  readonly principal?: (subject: string) => string
}

export interface ListenerTls {
  readonly options: TlsOptions
  /** The name that the client goes by; null without a certificate. Throws Error for one that is not good. */
  readonly nameOf: (socket: TLSSocket) => string | null
}

export function tlsOptions(settings: TlsSettings): ListenerTls {
  const { key, cert, ca, clientAuth = 'none' } = settings
  const requestCert = clientAuth !== 'none'
  return {
    options: {
      key,
      cert,
      requestCert,
      rejectUnauthorized: clientAuth === 'required',
      ...(ca === undefined ? {} : { ca }),
    },
    nameOf: socket => {
      const certificate = requestCert ? socket.getPeerX509Certificate() : undefined
      if (certificate === undefined) return null
      if (!socket.authorized) throw new Error('the certificate of a client is not good')
      const subject = rfc2253(certificate.subject)
      return settings.principal?.(subject) ?? subject
    },
  }
}

// As Java writes it: the last part of the name first.
function rfc2253(subject: string): string {
  return subject.trim().split('\n').reverse().join(',')
}
