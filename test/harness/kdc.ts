/** A Kerberos realm for one test: MIT's KDC (Debian's krb5-kdc) in a folder that is removed with the test. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Child, removeAtEnd } from './child.ts'
import { newLogFolder } from './logs.ts'
import { freePorts } from './ports.ts'

const REALM = 'OTTLA.TEST'
const PATIENCE_MS = 20_000
const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`

export class Realm {
  readonly #folder: string
  readonly #environment: Readonly<Record<string, string | undefined>>
  readonly #kdc: Child

  private constructor(folder: string, environment: Readonly<Record<string, string | undefined>>, kdc: Child) {
    this.#folder = folder
    this.#environment = environment
    this.#kdc = kdc
  }

  static async start(): Promise<Realm> {
    const folder = mkdtempSync(join(tmpdir(), 'ottla-kdc-'))
    removeAtEnd(folder)
    const [port = 0] = await freePorts(1)
    mkdirSync(join(folder, 'db'))
    writeFileSync(
      join(folder, 'krb5.conf'),
      `[libdefaults]
  default_realm = ${REALM}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
  default_ccache_name = FILE:${join(folder, 'tickets')}
[realms]
  ${REALM} = {
    kdc = 127.0.0.1:${port}
  }
`,
    )
    writeFileSync(
      join(folder, 'kdc.conf'),
      `[kdcdefaults]
  kdc_listen = 127.0.0.1:${port}
  kdc_tcp_listen = 127.0.0.1:${port}
[realms]
  ${REALM} = {
    database_name = ${join(folder, 'db', 'principal')}
    key_stash_file = ${join(folder, 'db', 'stash')}
    max_life = 10h
  }
`,
    )
    const environment = {
      ...process.env,
      PATH: path,
      KRB5_CONFIG: join(folder, 'krb5.conf'),
      KRB5_KDC_PROFILE: join(folder, 'kdc.conf'),
    }
    execFileSync('kdb5_util', ['create', '-s', '-r', REALM, '-P', 'of no use outside'], {
      env: environment,
      stdio: 'pipe',
    })
    // The child inherits this process's environment.
    Object.assign(process.env, { KRB5_CONFIG: environment.KRB5_CONFIG, KRB5_KDC_PROFILE: environment.KRB5_KDC_PROFILE })
    process.env['PATH'] = path
    const kdc = new Child('krb5kdc', ['-n', '-r', REALM], join(newLogFolder('kdc'), 'krb5kdc.log'))
    const deadline = Date.now() + PATIENCE_MS
    while (!(await isListening(port))) {
      if (kdc.ended || Date.now() > deadline) throw new Error('the KDC does not start')
      await sleep(20)
    }
    return new Realm(folder, environment, kdc)
  }

  /** The flags for JVMs. */
  get javaFlags(): string {
    return `-Djava.security.krb5.conf=${join(this.#folder, 'krb5.conf')} -Dsun.security.krb5.rcache=none`
  }

  /** Creates a principal. @returns its full name, and its keytab */
  principal(name: string): { readonly name: string; readonly keytab: string } {
    const keytab = join(this.#folder, `${name.replaceAll('/', '_')}.keytab`)
    this.#admin(`addprinc -randkey ${name}@${REALM}`)
    this.#admin(`ktadd -k ${keytab} ${name}@${REALM}`)
    return { name: `${name}@${REALM}`, keytab }
  }

  /** Puts a ticket into this process's cache. @param life - in the format of kinit */
  logIn({ name, keytab }: { readonly name: string; readonly keytab: string }, life = '10h'): void {
    execFileSync('kinit', ['-l', life, '-k', '-t', keytab, name], { env: this.#environment, stdio: 'pipe' })
  }

  /** Whether there is a ticket that has not expired. */
  isLoggedIn(): boolean {
    return spawnSync('klist', ['-s'], { env: this.#environment }).status === 0
  }

  /** Destroys all tickets. */
  logOut(): void {
    rmSync(join(this.#folder, 'tickets'), { force: true })
  }

  async close(): Promise<void> {
    await this.#kdc.end('SIGTERM')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #admin(query: string): void {
    execFileSync('kadmin.local', ['-r', REALM, '-q', query], { env: this.#environment, stdio: 'pipe' })
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
