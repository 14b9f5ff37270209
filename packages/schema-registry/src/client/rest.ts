/** Requests to the registry's REST API: several URLs, retries, errors in words. */
import { invalidArgument, SchemaRegistryError, textOf, type SchemaErrorCode } from '../errors.ts'
import { authorizationOf, type Authorization, type RegistryAuth } from './auth.ts'
import { fetchTransport, tlsTransport, type HttpAnswer, type RegistryTls, type Transport } from './transport.ts'

/**
 * Where the registry is, and how it is asked.
 * @since 0.1.0
 */
export interface RestOptions {
  /** Address of the registry, with a path if it has one; a username and a password in it are taken for `auth`. */
  readonly url?: string
  /** Several: one that does not answer makes room for the next. */
  readonly urls?: readonly string[]
  readonly auth?: RegistryAuth
  /** Certificates for https. */
  readonly tls?: RegistryTls
  /** Further headers of each request, as Confluent Cloud's `target-sr-cluster`. */
  readonly headers?: Readonly<Record<string, string>>
  /** Limit of one attempt, ms; 10,000 by default. */
  readonly requestTimeoutMs?: number
  /** Limit of a call with all its retries, ms; 30,000 by default. */
  readonly timeoutMs?: number
  /** Pause before the first retry, ms; 100 by default. It doubles up to 5,000. */
  readonly retryBackoffMs?: number
  /** In place of the runtime's `fetch`; not together with `tls`. */
  readonly fetch?: typeof fetch
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** With a leading slash, parts encoded. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly body?: unknown
  /** In place of `timeoutMs`. */
  readonly timeoutMs?: number
  /** It is asked again anyhow: each URL is tried once. */
  readonly isOptional?: boolean
}

const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json'
const MAX_BACKOFF_MS = 5000

export class RestClient {
  readonly #urls: readonly string[]
  readonly #transport: Transport
  readonly #authorization: Authorization
  readonly #headers: Readonly<Record<string, string>>
  readonly #requestTimeoutMs: number
  readonly #timeoutMs: number
  readonly #backoffMs: number
  /** The URL that answered last. */
  #current = 0

  constructor(options: RestOptions) {
    const { url, urls } = options
    if ((url === undefined) === (urls === undefined)) throw invalidArgument('a registry needs url, or urls')
    const parsed = (urls ?? [url as string]).map(parseUrl)
    const [first] = parsed
    if (first === undefined) throw invalidArgument('urls is empty')
    if (options.tls !== undefined && options.fetch !== undefined) {
      throw invalidArgument('tls and fetch exclude each other: a fetch of your own has its own certificates')
    }
    this.#urls = parsed.map(({ base }) => base)
    this.#transport = options.tls === undefined ? fetchTransport(options.fetch ?? fetch) : tlsTransport(options.tls)
    this.#authorization = authorizationOf(options.auth ?? first.auth, this.#transport)
    this.#headers = options.headers ?? {}
    this.#requestTimeoutMs = positive('requestTimeoutMs', options.requestTimeoutMs ?? 10_000)
    this.#timeoutMs = positive('timeoutMs', options.timeoutMs ?? 30_000)
    this.#backoffMs = positive('retryBackoffMs', options.retryBackoffMs ?? 100)
  }

  /** The answer's JSON. Rejects with SchemaRegistryError. */
  async call(call: Call): Promise<unknown> {
    const deadline = Date.now() + (call.timeoutMs ?? this.#timeoutMs)
    let isRenewed = false
    let failed: SchemaRegistryError
    for (let attempt = 0; ; attempt++) {
      const at = (this.#current + attempt) % this.#urls.length
      try {
        const answer = await this.#attempt(at, call, deadline)
        this.#current = at
        return answer
      } catch (error) {
        if (!(error instanceof SchemaRegistryError)) throw error
        if (error.code === 'UNAUTHORIZED' && !isRenewed && this.#authorization.refused()) {
          isRenewed = true
          attempt--
          continue
        }
        const isLast = call.isOptional === true && attempt + 1 >= this.#urls.length
        if (!error.isRetriable || isLast) throw error
        failed = error
      }
      // Another URL is tried at once, all of them again after a pause.
      const round = Math.floor((attempt + 1) / this.#urls.length)
      const isNextRound = (attempt + 1) % this.#urls.length === 0
      const pause = isNextRound ? backoff(this.#backoffMs, round) : 0
      if (Date.now() + pause >= deadline) throw failed
      if (pause > 0) await sleep(pause)
    }
  }

  async #attempt(at: number, { method, path, query, body }: Call, deadline: number): Promise<unknown> {
    const base = this.#urls[at] as string
    const limit = Math.max(1, Math.min(this.#requestTimeoutMs, deadline - Date.now()))
    const signal = AbortSignal.timeout(limit)
    let answer: HttpAnswer
    try {
      const authorization = await this.#authorization.header(signal)
      answer = await this.#transport(`${base}${path}${queryOf(query)}`, {
        method,
        headers: {
          ...this.#headers,
          accept: `${CONTENT_TYPE}, application/json`,
          ...(body === undefined ? {} : { 'content-type': CONTENT_TYPE }),
          ...(authorization === null ? {} : { authorization }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal,
      })
    } catch (error) {
      if (error instanceof SchemaRegistryError) throw error
      const why = signal.aborted ? `it did not answer within ${Math.round(limit)} ms` : reasonOf(error)
      throw new SchemaRegistryError('UNAVAILABLE', `the schema registry at ${base} cannot be reached: ${why}`, {
        cause: error,
      })
    }
    if (answer.status >= 200 && answer.status < 300) return parsed(answer, base)
    throw refusal(answer, `${method} ${path}`, base)
  }
}

/** Status to code; what is not here is REFUSED. */
const codes: Readonly<Record<number, SchemaErrorCode>> = {
  401: 'UNAUTHORIZED',
  403: 'UNAUTHORIZED',
  404: 'NOT_FOUND',
  408: 'UNAVAILABLE',
  409: 'INCOMPATIBLE',
  429: 'UNAVAILABLE',
}

/** An invalid Avro, Protobuf or JSON schema, or an invalid reference in it. */
const INVALID_SCHEMA = 42201

function refusal({ status, text }: HttpAnswer, what: string, base: string): SchemaRegistryError {
  const { error_code: errorCode, message } = errorBody(text)
  const code: SchemaErrorCode =
    errorCode === INVALID_SCHEMA ? 'INVALID_SCHEMA' : status >= 500 ? 'UNAVAILABLE' : (codes[status] ?? 'REFUSED')
  const said = message === null ? '' : `: ${message}`
  const details = { status, ...(errorCode === null ? {} : { errorCode }) }
  return new SchemaRegistryError(
    code,
    `the schema registry at ${base} answered ${what} with status ${status}${said}`,
    details,
  )
}

function errorBody(text: string): { error_code: number | null; message: string | null } {
  try {
    const { error_code, message } = JSON.parse(text) as { error_code?: unknown; message?: unknown }
    return {
      error_code: typeof error_code === 'number' ? error_code : null,
      message: typeof message === 'string' ? message : null,
    }
  } catch {
    return { error_code: null, message: null }
  }
}

function parsed({ text, status }: HttpAnswer, base: string): unknown {
  if (text === '') return null
  try {
    return JSON.parse(text)
  } catch (error) {
    const message = `the schema registry at ${base} answered with something other than JSON: is it a registry?`
    throw new SchemaRegistryError('REFUSED', message, { cause: error, status })
  }
}

function parseUrl(text: string): { base: string; auth?: RegistryAuth } {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    // Without the text: it may have a password in it.
    throw invalidArgument('a registry url is not one: it takes something like http://localhost:8081')
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw invalidArgument(`a registry url begins with http:// or https://, not ${url.protocol}//`)
  const { username, password } = url
  const base = `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`
  if (username === '') return { base }
  return { base, auth: { username: decodeURIComponent(username), password: decodeURIComponent(password) } }
}

function queryOf(query: Call['query']): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== false)
  if (given.length === 0) return ''
  return `?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString()}`
}

/** `fetch failed` has the reason in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error ? textOf(cause) || (cause as { code?: string }).code || textOf(error) : textOf(error)
}

function backoff(first: number, round: number): number {
  const most = Math.min(first * 2 ** (round - 1), MAX_BACKOFF_MS)
  return most * (0.8 + Math.random() * 0.4)
}

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

function positive(name: string, value: number): number {
  if (!(value > 0)) throw invalidArgument(`${name} takes a positive number of milliseconds`)
  return value
}
