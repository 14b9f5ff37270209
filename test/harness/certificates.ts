/** Certificates for one test, made by openssl in a folder that is removed with the test's process. */
import { randomUUID } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeAtEnd } from './child.ts'

/** A certificate with its key, in files. */
export interface Identity {
  readonly cert: string
  readonly key: string
  readonly certFile: string
  readonly keyFile: string
}

export interface Wanted {
  /** `/O=Example/CN=alice` */
  readonly subject: string
  /** Names it is valid for as a server: `DNS:localhost,IP:127.0.0.1`. */
  readonly names?: string
  /** YYMMDDhhmmssZ; from yesterday to tomorrow unless given. */
  readonly from?: string
  readonly until?: string
}

const dayMs = 86_400_000

/** A certificate authority that issues and revokes certificates. */
export class Authority {
  readonly folder: string
  readonly certFile: string
  readonly keyFile: string
  readonly #config: string

  private constructor(folder: string) {
    this.folder = folder
    this.certFile = join(folder, 'ca.pem')
    this.keyFile = join(folder, 'ca.key')
    this.#config = join(folder, 'ca.cnf')
  }

  static make(name: string): Authority {
    const folder = mkdtempSync(join(tmpdir(), 'ottla-ca-'))
    removeAtEnd(folder)
    const authority = new Authority(folder)
    const { certFile, keyFile } = authority
    writeFileSync(join(folder, 'index.txt'), '')
    writeFileSync(authority.#config, config(folder))
    newKey(keyFile)
    const self = ['-new', '-x509', '-config', authority.#config, '-key', keyFile, '-subj', `/CN=${name}`]
    openssl('req', ...self, '-days', '5', '-out', certFile)
    return authority
  }

  /** An intermediate authority, certified by this one. */
  makeBelow(name: string): Authority {
    const below = Authority.make(name)
    const { certFile, keyFile } = this.#issue({ subject: `/CN=${name}` }, 'basicConstraints=critical,CA:true')
    copyFileSync(certFile, below.certFile)
    copyFileSync(keyFile, below.keyFile)
    return below
  }

  /** An authority created by another process. */
  static at(folder: string): Authority {
    return new Authority(folder)
  }

  get cert(): string {
    return readFileSync(this.certFile, 'utf8')
  }

  issue(wanted: Wanted): Identity {
    return this.#issue(wanted, wanted.names === undefined ? '' : `subjectAltName=${wanted.names}`)
  }

  #issue(wanted: Wanted, extension: string): Identity {
    const base = this.#path('issued')
    const certFile = `${base}.pem`
    const keyFile = `${base}.key`
    const request = `${base}.csr`
    const extensions = `${base}.ext`
    writeFileSync(extensions, `${extension}\n`)
    newKey(keyFile)
    openssl('req', '-new', '-config', this.#config, '-key', keyFile, '-subj', wanted.subject, '-out', request)
    const from = wanted.from ?? when(Date.now() - dayMs)
    const until = wanted.until ?? when(Date.now() + dayMs)
    const files = ['-in', request, '-out', certFile, '-extfile', extensions]
    openssl('ca', '-batch', '-notext', '-config', this.#config, '-startdate', from, '-enddate', until, ...files)
    return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8'), certFile, keyFile }
  }

  revoke(identity: Pick<Identity, 'certFile'>): void {
    openssl('ca', '-config', this.#config, '-revoke', identity.certFile)
  }

  /** Writes the revocation list, to a new file each time. */
  revocationList(): string {
    const file = this.#path('crl', '.pem')
    openssl('ca', '-gencrl', '-config', this.#config, '-crldays', '2', '-out', file)
    return file
  }

  /** Writes a PKCS#12 file of an identity of this authority. */
  keystore(identity: Identity, password: string): string {
    const file = this.#path('store', '.p12')
    const from = ['-inkey', identity.keyFile, '-in', identity.certFile]
    openssl('pkcs12', '-export', ...from, '-passout', `pass:${password}`, '-out', file)
    return file
  }

  /** Writes the key of an identity, encrypted. */
  encryptedKey(identity: Identity, password: string): string {
    const file = this.#path('encrypted', '.key')
    openssl('pkcs8', '-topk8', '-in', identity.keyFile, '-passout', `pass:${password}`, '-out', file)
    return file
  }

  #path(name: string, extension = ''): string {
    return join(this.folder, `${name}-${randomUUID().slice(0, 8)}${extension}`)
  }
}

/** A date in the format of `openssl ca`. */
export function when(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replaceAll(/[-:T]|\.\d+/g, '')
    .slice(2)
}

function newKey(file: string): void {
  // PKCS#8, which Java reads as well.
  openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', file)
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

function config(folder: string): string {
  return `
[ca]
default_ca = main
[main]
dir = ${folder}
database = $dir/index.txt
new_certs_dir = $dir
certificate = $dir/ca.pem
private_key = $dir/ca.key
rand_serial = yes
default_md = sha256
policy = anything
unique_subject = no
copy_extensions = none
[anything]
countryName = optional
organizationName = optional
commonName = supplied
[req]
distinguished_name = subject
x509_extensions = authority
[subject]
[authority]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
`
}
