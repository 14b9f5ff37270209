/** The registry's HTTP server. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { textOf } from '../errors.ts'
import { Refusal } from './failure.ts'
import { memoryLog, type RegistryLog } from './records.ts'
import { RegistryCore } from './registry.ts'
import { answered } from './routes.ts'
import { RegistryStore } from './store.ts'

/**
 * The options of an embedded registry.
 * @since 0.1.0
 */
export interface EmbeddedRegistryOptions {
  /** 0, the default: a free one. */
  readonly port?: number
  /** Host or address to listen on; 127.0.0.1 by default. */
  readonly host?: string
  /** Where its records are kept; by default in memory. An embedded cluster keeps them in its topic `_schemas`. */
  readonly log?: RegistryLog
  /** Whether the process may end while it runs. */
  readonly unref?: boolean
}

const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json'
const MAX_BODY_BYTES = 16 * 1024 * 1024

/**
 * A schema registry in this process, with Confluent's REST API: for development and tests.
 *
 * ```ts
 * await using registry = await EmbeddedSchemaRegistry.start()
 * const client = new SchemaRegistry({ url: registry.url })
 * ```
 * @since 0.1.0
 */
export class EmbeddedSchemaRegistry implements AsyncDisposable {
  readonly #server: Server
  /** Its address, as `http://127.0.0.1:54321`. */
  readonly url: string

  private constructor(server: Server, url: string) {
    this.#server = server
    this.url = url
  }

  /** Resolves when it answers. Rejects if it cannot listen, or if the log's records are none of a registry. */
  static async start(options: EmbeddedRegistryOptions = {}): Promise<EmbeddedSchemaRegistry> {
    const { port = 0, host = '127.0.0.1', log = memoryLog(), unref = false } = options
    const core = new RegistryCore(new RegistryStore(log))
    const server = createServer((request, response) => void serve(core, request, response))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, () => resolve())
    })
    if (unref) server.unref()
    const { address, port: taken, family } = server.address() as AddressInfo
    return new EmbeddedSchemaRegistry(server, `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`)
  }

  /** Stops answering; connections are closed. */
  close(): Promise<void> {
    return new Promise(resolve => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

async function serve(core: RegistryCore, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let status = 200
  let text: string
  try {
    const url = new URL(request.url ?? '/', 'http://registry')
    const path = url.pathname
      .split('/')
      .filter(part => part !== '')
      .map(decoded)
    const body = await bodyOf(request)
    const answer = answered(core, { method: request.method ?? '', path, query: url.searchParams, body })
    text = 'text' in answer ? answer.text : JSON.stringify(answer.json)
  } catch (error) {
    const refusal = error instanceof Refusal ? error : new Refusal(50001, textOf(error))
    ;({ status } = refusal)
    text = JSON.stringify({ error_code: refusal.errorCode, message: refusal.message })
  }
  response.writeHead(status, { 'content-type': CONTENT_TYPE })
  response.end(text)
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new Refusal(400, 'the path is not encoded as it should be')
  }
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new Refusal(413, 'the request is too large')
    chunks.push(chunk)
  }
  if (size === 0) return {}
  try {
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    if (typeof body === 'object' && body !== null) return body as Record<string, unknown>
  } catch {
    // Said below.
  }
  throw new Refusal(400, 'the body of the request is no JSON object')
}
