/** An identity provider for tests: signs tokens, and publishes its public key for brokers. */
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  sign,
  timingSafeEqual,
  verify,
  type KeyObject,
} from 'node:crypto'
import { createServer as createClear, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTls, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'

const KEY_ID = 'the-key'
const AUDIENCE = 'kafka'
const ASSERTION_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

export interface Asked {
  readonly method: string
  readonly path: string
  readonly authorization: string
  readonly form: Readonly<Record<string, string>>
}

export class IdentityProvider {
  readonly #key = generateKeyPairSync('rsa', { modulusLength: 2048 })
  readonly #servers: (Server | ReturnType<typeof createClear>)[] = []
  readonly #secrets = new Map<string, string>()
  readonly #assertionKeys = new Map<string, KeyObject>()
  /** The requests received, in order. */
  readonly asked: Asked[] = []
  /** Lifetime of the tokens issued, in s. */
  lifeSeconds = 3600
  /** Responses to send instead of tokens, in order. */
  readonly troubles: { readonly status: number; readonly body: string }[] = []
  url = ''

  static async start(tls?: { readonly key: string; readonly cert: string }): Promise<IdentityProvider> {
    const provider = new IdentityProvider()
    provider.url = await provider.#listen(tls)
    return provider
  }

  /** The same provider behind TLS. */
  async addTls(tls: { readonly key: string; readonly cert: string }): Promise<string> {
    return this.#listen(tls)
  }

  client(id: string, secret: string): void {
    this.#secrets.set(id, secret)
  }

  /** Accepts assertions of this issuer, signed with this key. */
  trust(issuer: string, publicKeyPem: string): void {
    this.#assertionKeys.set(issuer, createPublicKey(publicKeyPem))
  }

  /** A signed token. */
  issue(subject: string, lifeSeconds = this.lifeSeconds, audience = AUDIENCE): string {
    const now = Math.floor(Date.now() / 1000)
    const header = encoded({ alg: 'RS256', typ: 'JWT', kid: KEY_ID })
    const claims = { sub: subject, aud: audience, iss: 'https://issuer.test', iat: now, exp: now + lifeSeconds }
    const content = `${header}.${encoded(claims)}`
    return `${content}.${sign('sha256', Buffer.from(content), this.#key.privateKey).toString('base64url')}`
  }

  /** The subject of a token. @throws Error if this provider has not signed it */
  subjectOf(token: string): string {
    const [header = '', payload = '', signature = ''] = token.split('.')
    const content = Buffer.from(`${header}.${payload}`)
    if (!verify('sha256', content, this.#key.publicKey, Buffer.from(signature, 'base64url')))
      throw new Error('not signed')
    return String(decoded(payload)['sub'])
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#servers.map(server => {
        server.closeAllConnections()
        return new Promise(resolve => server.close(resolve))
      }),
    )
  }

  async #listen(tls?: { readonly key: string; readonly cert: string }): Promise<string> {
    const serve: RequestListener = (request, response) => void this.#serve(request, response)
    const server = tls === undefined ? createClear(serve) : createTls(tls, serve)
    this.#servers.push(server)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo // it listens on a port
    return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const url = new URL(request.url ?? '/', 'http://provider')
    const form = Object.fromEntries(
      request.method === 'GET' ? url.searchParams : new URLSearchParams(Buffer.concat(chunks).toString()),
    )
    const answer = (status: number, body: object | string): void => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(typeof body === 'string' ? body : JSON.stringify(body))
    }
    if (url.pathname === '/jwks') {
      const jwk = this.#key.publicKey.export({ format: 'jwk' })
      answer(200, { keys: [{ ...jwk, kid: KEY_ID, use: 'sig', alg: 'RS256' }] })
      return
    }
    const authorization = request.headers.authorization ?? ''
    this.asked.push({ method: request.method ?? '', path: url.pathname, authorization, form })
    const trouble = this.troubles.shift()
    if (trouble !== undefined) answer(trouble.status, trouble.body)
    else if (url.pathname === '/metadata') {
      if (request.headers['metadata'] !== 'true') answer(400, { error: 'no metadata header' })
      else answer(200, this.#tokens(`azure-${form['client_id'] ?? ''}`, true))
    } else {
      const subject = form['grant_type'] === ASSERTION_GRANT ? this.#byAssertion(form) : this.#bySecret(authorization)
      if (subject === null) answer(401, { error: 'invalid_client', error_description: 'who is that?' })
      else answer(200, this.#tokens(subject, false))
    }
  }

  #tokens(subject: string, asText: boolean): object {
    const { lifeSeconds } = this
    return {
      access_token: this.issue(subject),
      token_type: 'Bearer',
      expires_in: asText ? String(lifeSeconds) : lifeSeconds,
    }
  }

  #bySecret(authorization: string): string | null {
    const [id = '', secret = ''] = Buffer.from(authorization.replace(/^Basic /, ''), 'base64')
      .toString()
      .split(':')
    const known = this.#secrets.get(id)
    return known !== undefined && same(known, secret) ? id : null
  }

  #byAssertion({ assertion = '' }: Readonly<Record<string, string>>): string | null {
    const [header = '', payload = '', signature = ''] = assertion.split('.')
    const { alg } = decoded(header)
    const { iss, sub, aud, exp, nbf } = decoded(payload)
    const key = this.#assertionKeys.get(String(iss))
    const now = Date.now() / 1000
    if (key === undefined || aud !== 'the-provider' || Number(exp) <= now || Number(nbf) > now) return null
    const how = alg === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' as const } : key
    const isGood = verify('sha256', Buffer.from(`${header}.${payload}`), how, Buffer.from(signature, 'base64url'))
    return isGood ? String(sub) : null
  }
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decoded(part: string): Record<string, unknown> {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
  } catch {
    return {}
  }
}

function same(a: string, b: string): boolean {
  const [one, two] = [a, b].map(text => createHash('sha256').update(text).digest()) as [Buffer, Buffer] // of two
  return timingSafeEqual(one, two)
}
