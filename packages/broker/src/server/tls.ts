/** TLS of the listeners, and the principals of clients' certificates. */
import type { TLSSocket, TlsOptions } from 'node:tls'

/**
 * TLS of a cluster's listeners.
 * @since 0.1.0
 */
export interface TlsSettings {
  /** The brokers' private key, PEM. */
  readonly key: string | Buffer
  /** The brokers' certificate, PEM. */
  readonly cert: string | Buffer
  /** Certificate authorities that clients' certificates are verified against, PEM. */
  readonly ca?: string | Buffer
  /**
   * Whether clients are asked for a certificate (`ssl.client.auth`); `none` by default. A certificate that a client
   * sends has to be valid, even with `requested`. Without SASL its subject is the principal:
   * `User:CN=alice,O=Example`.
   */
  readonly clientAuth?: 'none' | 'requested' | 'required'
  /** Maps a certificate's subject (`CN=alice,O=Example`) to the principal's name; by default that is the subject. */
  readonly principal?: (subject: string) => string
}

export interface ListenerTls {
  readonly options: TlsOptions
  /** The client's name by its certificate, null if it has none. Throws Error if the certificate is not valid. */
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
      if (!socket.authorized) throw new Error("the client's certificate is not valid")
      const subject = rfc2253(certificate.subject)
      return settings.principal?.(subject) ?? subject
    },
  }
}

// As Java writes a subject: the last part first.
function rfc2253(subject: string): string {
  return subject.trim().split('\n').reverse().join(',')
}
