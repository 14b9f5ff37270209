/** A registry in a page, for the tests of the client: what it says is set by the test. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export interface Asked {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

/** What it answers; undefined cuts the connection. */
type Answer = { readonly status?: number; readonly body?: unknown; readonly text?: string } | undefined

export interface TinyRegistry {
  readonly url: string
  readonly asked: Asked[]
  /** Takes the place of what a registry would say; `null` leaves it to the registry. */
  answer: (asked: Asked) => Answer | null
}

/** Ends with the test. */
export async function tinyRegistry(t: TestContext): Promise<TinyRegistry> {
  const asked: Asked[] = []
  const schemas: { text: string; body: Record<string, unknown>; subject: string; version: number }[] = []
  const tiny: TinyRegistry = { url: '', asked, answer: () => null }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8')
      const isJson = request.headers['content-type']?.includes('json') === true
      const { method = '', url = '', headers } = request
      const one = { method, url, headers, body: isJson ? (JSON.parse(text) as unknown) : text }
      asked.push(one)
      const answer = tiny.answer(one)
      if (answer === undefined) {
        request.socket.destroy()
        return
      }
      const { status = 200, body, text: said } = answer ?? standard(one)
      response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' })
      response.end(said ?? JSON.stringify(body))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(
    () =>
      new Promise<void>(resolve => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  )
  return Object.assign(tiny, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })

  function standard({ method, url, body }: Asked): Exclude<Answer, undefined> {
    const path = url.split('?')[0] ?? ''
    const posted = /^\/subjects\/([^/]+)\/versions$/.exec(path)
    if (method === 'POST' && posted !== null) return register(decodeURIComponent(posted[1] ?? ''), body as never)
    const byId = /^\/schemas\/ids\/(\d+)$/.exec(path)
    if (byId !== null) return described(schemas[Number(byId[1]) - 1])
    const byGuid = /^\/schemas\/guids\/(.+)$/.exec(path)
    if (byGuid !== null) return described(schemas.find((_, i) => guidOf(i + 1) === byGuid[1]))
    const latest = /^\/subjects\/([^/]+)\/versions\/latest$/.exec(path)
    if (latest !== null) {
      return described(schemas.findLast(({ subject }) => subject === decodeURIComponent(latest[1] ?? '')))
    }
    const version = /^\/subjects\/([^/]+)\/versions\/(\d+)$/.exec(path)
    if (version !== null) {
      const [, subject = '', number] = version
      return described(
        schemas.find(each => each.subject === decodeURIComponent(subject) && each.version === Number(number)),
      )
    }
    return { status: 404, body: { error_code: 404, message: 'HTTP 404 Not Found' } }
  }

  function register(subject: string, body: Record<string, unknown>): Exclude<Answer, undefined> {
    const text = JSON.stringify(body)
    let at = schemas.findIndex(schema => schema.text === text && schema.subject === subject)
    if (at < 0) {
      const version = schemas.filter(schema => schema.subject === subject).length + 1
      at = schemas.push({ text, body, subject, version }) - 1
    }
    return described(schemas[at])
  }

  function described(schema: (typeof schemas)[number] | undefined): Exclude<Answer, undefined> {
    if (schema === undefined) return { status: 404, body: { error_code: 40403, message: 'Schema not found' } }
    const id = schemas.indexOf(schema) + 1
    return { body: { ...schema.body, id, guid: guidOf(id), subject: schema.subject, version: schema.version } }
  }
}

function guidOf(id: number): string {
  return `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`
}
