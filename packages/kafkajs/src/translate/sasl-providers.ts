/** kafkajs's authentication providers as mechanisms of `ottla`, and two mechanisms that are made this way. */
import type { SaslExchange, SaslMechanism } from 'ottla'
import { KafkaJSSASLAuthenticationError } from '../errors.ts'
import type { AuthenticationProviderArgs, Mechanism, SaslAuthenticateArgs } from '../types/client.ts'
import type { Logger } from '../types/logging.ts'

type Provider = Mechanism['authenticationProvider']

/** Of the length in front of every token. */
const LENGTH_BYTES = 4

/** @param name as brokers know it */
export function providerMechanism(name: string, provider: Provider, logger: Logger): SaslMechanism {
  return { name, exchange: (host, port) => new ProviderExchange(provider, { host, port, logger }) }
}

/** One run of `authenticate()`: it asks for bytes to be sent, and gets the broker's answers. */
class ProviderExchange implements SaslExchange {
  readonly #provider: Provider
  readonly #args: Omit<AuthenticationProviderArgs, 'saslAuthenticate'>
  /** What the provider does next: sends a token, or null at the end. */
  #step = new Step<Buffer | null>()
  #answer = new Step<Buffer>()

  constructor(provider: Provider, args: Omit<AuthenticationProviderArgs, 'saslAuthenticate'>) {
    this.#provider = provider
    this.#args = args
  }

  async start(): Promise<Buffer> {
    void this.#run()
    const first = await this.#next()
    // A mechanism has to send something: without it the broker would wait for ever.
    return first ?? Buffer.alloc(0)
  }

  next(challenge: Buffer): Promise<Buffer | null> {
    this.#answer.resolve(challenge)
    return this.#next()
  }

  async #next(): Promise<Buffer | null> {
    const token = await this.#step.promise
    this.#step = new Step()
    return token
  }

  async #run(): Promise<void> {
    try {
      const saslAuthenticate = <T>(args: SaslAuthenticateArgs<T>): Promise<T | undefined> => this.#exchange(args)
      await this.#provider({ ...this.#args, saslAuthenticate }).authenticate()
      this.#step.resolve(null)
    } catch (error) {
      this.#step.reject(error instanceof Error ? error : new Error(String(error)))
    }
  }

  async #exchange<T>({ request, response }: SaslAuthenticateArgs<T>): Promise<T | undefined> {
    const bytes = await request.encode()
    this.#answer = new Step()
    this.#step.resolve(withoutLength(bytes))
    const answer = await this.#answer.promise
    return response === undefined ? undefined : response.parse(await response.decode(withLength(answer)))
  }
}

/** A promise that others settle. */
class Step<T> {
  readonly promise: Promise<T>
  declare resolve: (value: T) => void
  declare reject: (error: Error) => void

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    // Awaited by the exchange, unless the connection has been given up by then.
    this.promise.catch(() => undefined)
  }
}

function withoutLength(bytes: Buffer): Buffer {
  const hasLength = bytes.length >= LENGTH_BYTES && bytes.readInt32BE() === bytes.length - LENGTH_BYTES
  return hasLength ? bytes.subarray(LENGTH_BYTES) : bytes
}

function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** Sends one token, and takes any answer for a yes: a refusal never gets here. */
function oneToken(parts: readonly string[]): Provider {
  return ({ saslAuthenticate }) => ({
    authenticate: async () => {
      await saslAuthenticate({ request: { encode: () => withLength(Buffer.from(parts.join('\0'))) } })
    },
  })
}

/** PLAIN on behalf of somebody else (RFC 4616's authorization identity). */
export function authzidPlainProvider(identity: string, username: string, password: string): Provider {
  return oneToken([identity, username, password])
}

/** kafkajs's mechanism AWS, which brokers of the project kafka-aws-iam know; MSK has another. */
export function awsProvider(sasl: {
  readonly authorizationIdentity?: string
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
  readonly sessionToken?: string
}): Provider {
  const { authorizationIdentity, accessKeyId, secretAccessKey, sessionToken = '' } = sasl
  const required = { authorizationIdentity, accessKeyId, secretAccessKey }
  for (const [name, value] of Object.entries(required)) {
    if (!value) throw new KafkaJSSASLAuthenticationError(`SASL AWS-IAM: Missing ${name}`)
  }
  return oneToken([...Object.values(required).map(value => value ?? ''), sessionToken])
}
