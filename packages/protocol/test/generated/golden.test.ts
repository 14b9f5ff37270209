import { test } from 'node:test'
import assert from 'node:assert/strict'
import {
  apis,
  encodeRequest,
  encodeResponse,
  ProtocolError,
  Reader,
  readRequestHeader,
  readResponseHeader,
  type Api,
  type ServerApi,
} from '@ottla/protocol'
import { seededRandom } from '../../../../tools/golden/random-messages.ts'
import { fromJson, goldenCases, headerCases, read, toJson, write } from './golden.ts'

/** Beyond any version. */
const NEVER_FLEXIBLE = 0x8000

interface RequestHeaderJson {
  readonly requestApiKey: number
  readonly requestApiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
}

/** A message without a body. */
const emptyApi = {
  key: 0,
  name: 'Empty',
  minVersion: -0x8000,
  maxVersion: 0x7fff,
  flexibleFrom: 0,
  writeRequest: () => undefined,
  readResponse: () => null,
  readRequest: () => null,
  writeResponse: () => undefined,
}

function label(name: string, version: number): string {
  return `${name} version ${version}`
}

test('the golden messages are of every request, response and version', () => {
  const counts = new Map<string, number>()
  for (const { name, version } of goldenCases) {
    counts.set(`${name} ${version}`, (counts.get(`${name} ${version}`) ?? 0) + 1)
  }
  for (const { name, minVersion, maxVersion } of apis) {
    for (let version = minVersion; version <= maxVersion; version++) {
      assert.equal(counts.get(`${name}Request ${version}`), 4, label(name, version))
      assert.equal(counts.get(`${name}Response ${version}`), 4, label(name, version))
    }
  }
  assert.equal(headerCases.length, 16)
})

test("every message and version reads what Kafka's own classes wrote", () => {
  for (const { name, version, json, bytes } of goldenCases) {
    const { value, remaining } = read(name, Buffer.from(bytes, 'hex'), version)
    assert.equal(remaining, 0, label(name, version))
    assert.deepEqual(toJson(name, value, json), json, label(name, version))
  }
})

test("every message and version is written as Kafka's own classes write it", () => {
  for (const { name, version, json, bytes } of goldenCases) {
    assert.equal(write(name, fromJson(name, json), version), bytes, label(name, version))
  }
})

test('what was read is written again byte for byte', () => {
  for (const { name, version, bytes } of goldenCases) {
    const { value } = read(name, Buffer.from(bytes, 'hex'), version)
    assert.equal(write(name, value, version), bytes, label(name, version))
  }
})

test('request headers are read and written as Kafka has them', () => {
  for (const { name, version, json, bytes, withUnknownTag } of headerCases) {
    if (name !== 'RequestHeader') continue
    const { requestApiKey: key, requestApiVersion, correlationId, clientId } = json as unknown as RequestHeaderJson
    const flexibleFrom = version >= 2 ? requestApiVersion : NEVER_FLEXIBLE
    const api: Api<null, null> = { ...emptyApi, key, flexibleFrom }
    const written = Buffer.concat(encodeRequest(api, requestApiVersion, correlationId, clientId, null))
    assert.equal(written.toString('hex', 4), bytes)
    for (const each of [bytes, withUnknownTag ?? bytes]) {
      const reader = new Reader(Buffer.from(each, 'hex'))
      const header = readRequestHeader(reader, () => flexibleFrom)
      assert.deepEqual(header, { apiKey: key, apiVersion: requestApiVersion, correlationId, clientId })
      assert.equal(reader.remaining, 0)
    }
  }
})

test('response headers are read and written as Kafka has them', () => {
  for (const { name, version, json, bytes, withUnknownTag } of headerCases) {
    if (name !== 'ResponseHeader') continue
    const { correlationId } = json as { correlationId: number }
    const api: ServerApi<null, null> = { ...emptyApi, key: 3, flexibleFrom: version >= 1 ? 0 : NEVER_FLEXIBLE }
    const written = Buffer.concat(encodeResponse(api, 0, correlationId, null))
    assert.equal(written.toString('hex', 4), bytes)
    for (const each of [bytes, withUnknownTag ?? bytes]) {
      const reader = new Reader(Buffer.from(each, 'hex'))
      assert.equal(readResponseHeader(reader, api, 0), correlationId)
      assert.equal(reader.remaining, 0)
    }
  }
})

test('tagged fields that nobody knows are skipped, in every structure', () => {
  for (const { name, version, json, withUnknownTag } of goldenCases) {
    if (withUnknownTag === undefined) continue
    const { value, remaining } = read(name, Buffer.from(withUnknownTag, 'hex'), version)
    assert.equal(remaining, 0, label(name, version))
    assert.deepEqual(toJson(name, value, json), json, label(name, version))
  }
})

test('a message that is cut off anywhere raises a ProtocolError', () => {
  for (const { name, version, bytes } of goldenCases) {
    const whole = Buffer.from(bytes, 'hex')
    const step = Math.max(1, Math.floor(whole.length / 40))
    for (let length = 0; length < whole.length; length += step) {
      assert.throws(() => read(name, whole.subarray(0, length), version), ProtocolError, label(name, version))
    }
  }
})

test('bytes that were changed at random give a value or a ProtocolError, never anything else', () => {
  const random = seededRandom(7)
  for (const { name, version, bytes } of goldenCases) {
    for (let i = 0; i < 10; i++) {
      const hostile = Buffer.from(bytes, 'hex')
      if (hostile.length === 0) continue
      for (let flips = 0; flips <= i % 3; flips++) {
        hostile[Math.floor(random() * hostile.length)] = Math.floor(random() * 256)
      }
      try {
        read(name, hostile, version)
      } catch (error) {
        assert.ok(error instanceof ProtocolError, `${label(name, version)}: ${String(error)}`)
      }
    }
  }
})

test('lengths that lie take no memory', () => {
  const random = seededRandom(11)
  const before = process.memoryUsage().rss
  for (const { name, version, bytes } of goldenCases) {
    for (let i = 0; i < 10; i++) {
      const hostile = Buffer.from(bytes, 'hex')
      // Wherever a length is, it becomes the largest there is, in either form.
      hostile.write(i % 2 === 0 ? 'ffffffff07' : '7fffffff', Math.floor(random() * hostile.length), 'hex')
      try {
        read(name, hostile, version)
      } catch (error) {
        assert.ok(error instanceof ProtocolError, `${label(name, version)}: ${String(error)}`)
      }
    }
  }
  const grown = process.memoryUsage().rss - before
  assert.ok(grown < 256 * 1024 * 1024, `the process grew by ${grown} bytes`)
})
