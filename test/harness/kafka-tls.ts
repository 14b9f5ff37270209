/** TLS listeners of real brokers, in addition to the plain ones: one for client certificates, one for passwords. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Authority } from './certificates.ts'
import { freePorts, returnPorts } from './ports.ts'

/** What clients need to connect; it can be serialized for another process. */
export interface TlsAddress {
  /** Requires a client certificate of the authority; its common name is the user. */
  readonly certificateServers: string
  /** Requires SASL, as the listener without TLS does. */
  readonly passwordServers: string
  /** See Authority.at. */
  readonly authorityFolder: string
  /** The certificate that all brokers share, for 127.0.0.1 only. */
  readonly brokerCertFile: string
}

type Properties = Record<string, string | number | boolean>

export class KafkaTls {
  readonly #authority: Authority
  readonly #brokerCertFile: string
  readonly #keystore: string
  readonly #ports: readonly number[]

  private constructor(ports: readonly number[]) {
    this.#ports = ports
    this.#authority = Authority.make('Brokers and clients')
    const { key, cert, certFile } = this.#authority.issue({ subject: '/CN=broker', names: 'IP:127.0.0.1' })
    this.#brokerCertFile = certFile
    this.#keystore = join(this.#authority.folder, 'keystore.pem')
    writeFileSync(this.#keystore, key + cert)
  }

  static async make(brokers: number): Promise<KafkaTls> {
    return new KafkaTls(await freePorts(2 * brokers))
  }

  get address(): TlsAddress {
    const servers = (listener: number): string =>
      this.#ports
        .filter((_, i) => i % 2 === listener)
        .map(port => `127.0.0.1:${port}`)
        .join(',')
    return {
      certificateServers: servers(0),
      passwordServers: servers(1),
      authorityFolder: this.#authority.folder,
      brokerCertFile: this.#brokerCertFile,
    }
  }

  /** Adds the two listeners to a broker's properties. */
  addTo(base: Properties, id: number): Properties {
    const [certificates = 0, passwords = 0] = this.#ports.slice((id - 1) * 2)
    const added = `,CERTIFICATES://127.0.0.1:${certificates},PASSWORDS://127.0.0.1:${passwords}`
    const sasl = Object.entries(base)
      .filter(([key]) => key.startsWith('listener.name.sasl.'))
      .map(([key, value]) => [key.replace('.sasl.', '.passwords.'), value] as const)
    return {
      ...base,
      ...Object.fromEntries(sasl),
      listeners: `${base['listeners']}${added}`,
      'advertised.listeners': `${base['advertised.listeners']}${added}`,
      'listener.security.protocol.map': `${base['listener.security.protocol.map']},CERTIFICATES:SSL,PASSWORDS:SASL_SSL`,
      'listener.name.certificates.ssl.client.auth': 'required',
      'ssl.principal.mapping.rules': 'RULE:^.*CN=([^,]+).*$/$1/',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': this.#keystore,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': this.#authority.certFile,
    }
  }

  close(): void {
    returnPorts(this.#ports)
  }
}
