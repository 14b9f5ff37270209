/** How each API answers a request that is refused as a whole, by an injected error or because a feature is off. */
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import * as protocol from '@ottla/protocol'
import {
  ApiKey,
  ErrorCode,
  Reader,
  apis,
  encodeRequest,
  encodeResponse,
  readRequestHeader,
  readResponseHeader,
  type Api,
} from '@ottla/protocol'
import { CloseConnection, type RefusedRequest, type Session } from '../../src/handlers/request.ts'
import { routes } from '../../src/handlers/routes.ts'
import { requestBodies } from '../request-bodies.ts'

const session: Session = {
  listener: { name: 'PLAINTEXT', index: 0, mechanisms: [], validateToken: () => ({ principal: '' }), maxReauthMs: 0 },
  principal: 'User:ANONYMOUS',
  host: '127.0.0.1',
  port: 0,
  saslMechanism: null,
  exchange: null,
  expectsBareToken: false,
  authenticated: true,
  isToken: false,
  expiresAt: null,
  reauthenticatedAt: null,
  closesAfterResponse: false,
}

type Name = keyof typeof ApiKey
const clientApis = protocol as unknown as Record<Name, Api<object, object>>
const bodies = requestBodies('z'.repeat(21) + 'g')

/** The response as a client reads it. */
function refused(name: Name, version: number, body: object, errorCode: number): unknown {
  const api = clientApis[name]
  const route = routes.get(api.key)!
  const request = new Reader(Buffer.concat(encodeRequest(api, version, 0, 'test', body)).subarray(4))
  readRequestHeader(request, () => api.flexibleFrom)
  const asked: RefusedRequest = { version, session }
  const answer = route.refusal(route.api.readRequest(request, version), errorCode, asked)
  const response = new Reader(Buffer.concat(encodeResponse(route.api, version, 0, answer)).subarray(4))
  readResponseHeader(response, api, version)
  return api.readResponse(response, version)
}

function shown(value: unknown): string {
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part))
  return text.replaceAll(/\{"type":"Buffer","data":\[([^\]]*)\]\}/g, '"bytes $1"')
}

/** As in refusals.txt: one line per request, for all versions with the same responses. */
function linesOf(name: Name, minVersion: number, maxVersion: number): string[] {
  const rows: { from: number; to: number; answers: string[] }[] = []
  for (let version = minVersion; version <= maxVersion; version++) {
    const answers = bodies[name]!(version).map(body =>
      shown(refused(name, version, body, ErrorCode.ERR_REQUEST_TIMED_OUT)),
    )
    const last = rows.at(-1)
    if (last !== undefined && last.answers.join('\n') === answers.join('\n')) last.to = version
    else rows.push({ from: version, to: version, answers })
  }
  return rows.flatMap(({ from, to, answers }) => answers.map(answer => `${name} ${from}-${to} ${answer}`))
}

test('every refusal has the error wherever Kafka puts one, and reveals nothing of the cluster', () => {
  const known = readFileSync(new URL('refusals.txt', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
  const served = apis.filter(({ key }) => routes.has(key))
  assert.equal(served.length, routes.size)
  const lines = served.flatMap(({ name, minVersion, maxVersion }) => linesOf(name as Name, minVersion, maxVersion))
  assert.deepEqual(lines, known)
})

test('a refused ApiVersions only shows which versions are supported', () => {
  const { apiKeys } = refused('ApiVersions', 3, bodies.ApiVersions!(3)[0]!, ErrorCode.ERR_UNSUPPORTED_VERSION) as {
    apiKeys: { apiKey: number }[]
  }
  assert.deepEqual(
    apiKeys.map(({ apiKey }) => apiKey),
    [ApiKey.ApiVersions],
  )
})

test('a refused produce with acks=0 closes the connection', () => {
  const body = { acks: 0, timeoutMs: 1000, topicData: [] }
  assert.throws(() => refused('Produce', 9, body, ErrorCode.ERR_NOT_ENOUGH_REPLICAS), CloseConnection)
})
