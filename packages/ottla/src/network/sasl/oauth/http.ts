/** HTTP requests to an identity provider: small responses, short timeouts, no redirects. */
import type { IncomingMessage } from 'node:http'
import { ErrorCode } from '@ottla/protocol'
import { Deadline, sleep, whenPassed, type Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/unknown-error.ts'
import { KafkaError } from '../../../errors.ts'

export interface HttpRequest {
  readonly url: URL
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** The trusted authorities (PEM); those of Node.js by default. */
  readonly ca: readonly string[] | undefined
  readonly signal: AbortSignal
}

interface Response {
  readonly status: number
  readonly body: string
}

const TIMEOUT_MS = 20_000
const MOST_BYTES = 1_000_000
const RETRIES = 3
const FIRST_BACKOFF_MS = 200

/**
 * The JSON object in the provider's response; retries when the provider fails.
 * Rejects with KafkaError ERR__AUTHENTICATION that names the provider and its error, and nothing of the request.
 */
export async function askForJson(request: HttpRequest, clock: Clock): Promise<Record<string, unknown>> {
  for (let attempt = 0; ; attempt++) {
    let problem: KafkaError
    try {
      const { status, body } = await limited(request, clock)
      if (status === 200) return parsed(body, request.url)
      problem = failure(request.url, `answered ${status}${explanation(body)}`)
      if (status < 500 && status !== 429) throw problem
    } catch (error) {
      if (request.signal.aborted) throw failure(request.url, 'is no longer needed: the client is closed')
      if (error instanceof KafkaError) throw error
      problem = failure(request.url, `cannot be reached: ${messageOf(error)}`, error)
    }
    if (attempt >= RETRIES) throw problem
    await sleep(clock, FIRST_BACKOFF_MS * 2 ** attempt, request.signal)
  }
}

async function limited(request: HttpRequest, clock: Clock): Promise<Response> {
  const limit = new AbortController()
  const timer = whenPassed(clock, Deadline.after(clock, TIMEOUT_MS), () =>
    limit.abort(new DOMException(`no answer within ${TIMEOUT_MS} ms`, 'TimeoutError')),
  )
  try {
    return await once(request, AbortSignal.any([request.signal, limit.signal]))
  } catch (error) {
    // Why the request was aborted says more than that it was.
    throw limit.signal.aborted ? limit.signal.reason : error
  } finally {
    timer.cancel()
  }
}

// Loaded on first use, like node:crypto.
function once({ url, method, headers, body, ca }: HttpRequest, signal: AbortSignal): Promise<Response> {
  return new Promise((resolve, reject) => {
    const options = { method, headers, signal, agent: false }
    const onResponse = (response: IncomingMessage): void => {
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes > MOST_BYTES) response.destroy(new Error(`its response has more than ${MOST_BYTES} bytes`))
      })
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      )
    }
    const sending =
      url.protocol === 'https:'
        ? process
            .getBuiltinModule('node:https')
            .request(url, { ...options, ...(ca === undefined ? {} : { ca: [...ca] }) }, onResponse)
        : process.getBuiltinModule('node:http').request(url, options, onResponse)
    sending.on('error', reject)
    sending.end(body)
  })
}

function parsed(body: string, url: URL): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown> // any object is one
  } catch {
    // Reported below.
  }
  throw failure(url, 'answered something that is not a JSON object')
}

/** The error and its description in a refusal, as in RFC 6749. */
function explanation(body: string): string {
  try {
    const { error, error_description: description } = JSON.parse(body) as Record<string, unknown>
    const words = [error, description].filter(word => typeof word === 'string')
    return words.length === 0 ? '' : `: ${words.join(': ').slice(0, 500)}`
  } catch {
    return ''
  }
}

function failure({ origin, pathname }: URL, why: string, cause?: unknown): KafkaError {
  return new KafkaError(ErrorCode.ERR__AUTHENTICATION, `the identity provider ${origin}${pathname} ${why}`, { cause })
}
