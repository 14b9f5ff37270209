/**
 * SASL SCRAM (RFC 5802, RFC 7677): the password is never sent, and the broker has to prove that it knows it, too. Like
 * Kafka's own client, it uses names and passwords as they are, without SASLprep.
 */
import { ErrorCode } from '@ottla/protocol'
import { crypto, derive } from '../../base/crypto.ts'
import { systemThreads, type Threads } from '../../base/threads.ts'
import { KafkaError } from '../../errors.ts'
import type { Credentials, SaslExchange, SaslMechanism } from './mechanism.ts'

export type ScramName = 'SCRAM-SHA-256' | 'SCRAM-SHA-512'

const hashes: Readonly<Record<ScramName, { readonly name: string; readonly bytes: number }>> = {
  'SCRAM-SHA-256': { name: 'sha256', bytes: 32 },
  'SCRAM-SHA-512': { name: 'sha512', bytes: 64 },
}

/** Fewer would make the password cheap to guess for an eavesdropper. */
const MIN_ITERATIONS = 4096
/** Brokers accept 16,384 at most; far more is an attempt to keep the client busy. */
const MAX_ITERATIONS = 1_000_000
const NONCE_BYTES = 18
/** No channel binding, no authorization identity. */
const GS2_HEADER = 'n,,'

/** A salted password, which takes thousands of iterations to compute. */
interface Salted {
  readonly password: string
  readonly salt: string
  readonly iterations: number
  readonly bytes: Buffer
}

export interface ScramOptions {
  /** The user name is the id of a delegation token (KIP-48), the password its HMAC in base64. */
  readonly isToken?: boolean
  readonly threads?: Threads
  /** Makes the nonce of an exchange: printable, without commas, never the same twice. */
  readonly nonce?: () => string
}

export class ScramMechanism implements SaslMechanism {
  readonly name: ScramName
  readonly #credentials: () => Credentials
  readonly #extensions: string
  readonly #nonce: () => string
  readonly #threads: Threads
  // Cached: every broker has the same salt for a user.
  #salted: Salted | null = null

  constructor(name: ScramName, credentials: () => Credentials, options: ScramOptions = {}) {
    this.name = name
    this.#credentials = credentials
    this.#extensions = options.isToken === true ? ',tokenauth=true' : ''
    this.#threads = options.threads ?? systemThreads
    this.#nonce = options.nonce ?? (() => crypto().randomBytes(NONCE_BYTES).toString('base64url'))
  }

  exchange(): SaslExchange {
    const { username, password } = this.#credentials()
    const salted = (salt: string, iterations: number): Promise<Buffer> => this.#salt(password, salt, iterations)
    return new ScramExchange(this.name, username, this.#nonce(), this.#extensions, salted)
  }

  async #salt(password: string, salt: string, iterations: number): Promise<Buffer> {
    const known = this.#salted
    if (known?.password === password && known.salt === salt && known.iterations === iterations) return known.bytes
    const { name, bytes: length } = hashes[this.name]
    const salting = (): Promise<Buffer> => derive(password, Buffer.from(salt, 'base64'), iterations, length, name)
    const bytes = await this.#threads.run(salting)
    this.#salted = { password, salt, iterations, bytes }
    return bytes
  }
}

class ScramExchange implements SaslExchange {
  readonly #name: ScramName
  readonly #nonce: string
  readonly #firstBare: string
  readonly #salted: (salt: string, iterations: number) => Promise<Buffer>
  /** The signature that the broker has to present; null until that is due. */
  #serverSignature: Buffer | null = null

  constructor(
    name: ScramName,
    username: string,
    nonce: string,
    extensions: string,
    salted: (salt: string, iterations: number) => Promise<Buffer>,
  ) {
    this.#name = name
    this.#nonce = nonce
    this.#firstBare = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}${extensions}`
    this.#salted = salted
  }

  start(): Buffer {
    return Buffer.from(GS2_HEADER + this.#firstBare)
  }

  next(challenge: Buffer): Promise<Buffer | null> | null {
    const message = challenge.toString('utf8')
    return this.#serverSignature === null ? this.#prove(message) : this.#verify(message, this.#serverSignature)
  }

  async #prove(serverFirst: string): Promise<Buffer> {
    const match = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/]+=*),i=(\d{1,9})(?:,.*)?$/.exec(serverFirst)
    if (match === null) throw broken(brokerError(serverFirst) ?? 'the broker sent a malformed first message')
    const [, nonce = '', salt = '', count = ''] = match
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length) {
      throw broken("the broker's nonce is not of this exchange")
    }
    const iterations = Number(count)
    if (iterations < MIN_ITERATIONS || iterations > MAX_ITERATIONS) {
      throw broken(`the broker asks for ${iterations} iterations, ${MIN_ITERATIONS} to ${MAX_ITERATIONS} are allowed`)
    }
    const salted = await this.#salted(salt, iterations)
    const clientKey = this.#hmac(salted, 'Client Key')
    const withoutProof = `c=${Buffer.from(GS2_HEADER).toString('base64')},r=${nonce}`
    const authMessage = `${this.#firstBare},${serverFirst},${withoutProof}`
    const signature = this.#hmac(this.#digest(clientKey), authMessage)
    const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] ?? 0)))
    this.#serverSignature = this.#hmac(this.#hmac(salted, 'Server Key'), authMessage)
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`)
  }

  #verify(serverFinal: string, expected: Buffer): null {
    const match = /^v=([A-Za-z0-9+/]+=*)(?:,.*)?$/.exec(serverFinal)
    if (match === null) throw broken(brokerError(serverFinal) ?? 'the broker sent a malformed last message')
    const shown = Buffer.from(match[1] ?? '', 'base64')
    if (shown.length !== expected.length || !crypto().timingSafeEqual(shown, expected)) {
      throw broken('the broker does not know the password: it may not be the broker that it claims to be')
    }
    return null
  }

  #hmac(key: Buffer, text: string): Buffer {
    return crypto().createHmac(hashes[this.#name].name, key).update(text).digest()
  }

  #digest(bytes: Buffer): Buffer {
    return crypto().createHash(hashes[this.#name].name).update(bytes).digest()
  }
}

/** The error that a broker sends instead of its message; words of the RFC only, since the rest may be anything. */
function brokerError(message: string): string | null {
  const match = /^e=([a-z-]{1,60})$/.exec(message)
  return match === null ? null : `the broker answered ${match[1] ?? ''}`
}

function broken(why: string): KafkaError {
  return new KafkaError(ErrorCode.ERR__AUTHENTICATION, why)
}
