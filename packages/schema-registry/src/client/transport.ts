/** One HTTP request. */
import { request as httpsRequest } from 'node:https'
import type { RequestOptions } from 'node:https'

/**
 * For registries that want a certificate (mTLS), or have one that no public authority signed.
 * @since 0.1.0
 */
export interface RegistryTls {
  /** PEM of the authorities to trust. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[]
  /** PEM of the client's certificate, with its chain. */
  readonly cert?: string | Buffer
  /** PEM of its key. */
  readonly key?: string | Buffer
  readonly passphrase?: string
  /** The name to expect in the registry's certificate; that of the URL by default. */
  readonly servername?: string
  /** False accepts any certificate, and so anybody's registry. */
  readonly rejectUnauthorized?: boolean
}

export interface HttpRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
  readonly signal: AbortSignal
}

export interface HttpAnswer {
  readonly status: number
  readonly text: string
}

/** Sends a request. Rejects if there is no answer. */
export type Transport = (url: string, request: HttpRequest) => Promise<HttpAnswer>

/** By `fetch`, or another function like it. */
export function fetchTransport(fetchIt: typeof fetch): Transport {
  return async (url, { method, headers, body, signal }) => {
    const answer = await fetchIt(url, { method, headers, body, signal, redirect: 'follow' })
    return { status: answer.status, text: await answer.text() }
  }
}

/** By node:https, which takes certificates. */
export function tlsTransport(tls: RegistryTls): Transport {
  return (url, { method, headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const options = { ...tls, method, headers, signal } as RequestOptions
      const request = httpsRequest(url, options, answer => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', reject)
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
        )
      })
      request.on('error', reject)
      request.end(body ?? undefined)
    })
}
