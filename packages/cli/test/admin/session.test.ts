import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { ErrorCode, KafkaError } from 'ottla'
import { AdminSession } from '../../src/admin/session.ts'

const error = new KafkaError(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, 'no such topic')
const results = [{ topic: 'a' }, { topic: 'b', error }]

function sessionOf(options: { json?: boolean; quiet?: boolean; timeout?: number } = {}): {
  session: AdminSession
  out: () => string
  err: () => string
} {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const terminal = { stdin: new PassThrough(), stdout, stderr, stop: new AbortController().signal }
  const session = new AdminSession(terminal, { property: [], file: [], ...options })
  return { session, out: () => String(stdout.read() ?? ''), err: () => String(stderr.read() ?? '') }
}

test('results without an error are printed, each error is a line of its own and fails the command', () => {
  const { session, out, err } = sessionOf()
  session.printResults(results, ({ topic }) => `deleted ${topic}`)
  assert.equal(out(), 'deleted a\n')
  assert.match(err(), /^ottla admin: no such topic \(ERR_UNKNOWN_TOPIC_OR_PART\).*\n$/)
  assert.equal(session.status, 1)
})

test('--quiet prints errors only', () => {
  const { session, out, err } = sessionOf({ quiet: true })
  session.printResults(results, ({ topic }) => `deleted ${topic}`)
  session.note('remark')
  assert.equal(out(), '')
  assert.equal(err().split('\n').length, 2)
})

test('--json prints errors, buffers and bigints so that any reader can use them', () => {
  const { session, out } = sessionOf({ json: true })
  session.emit({ id: 2n ** 62n, hmac: Buffer.from([1, 2]), error }, () => ['not printed'])
  session.note('remark')
  assert.deepEqual(JSON.parse(out()), {
    id: '4611686018427387904',
    hmac: 'AQI=',
    error: { code: 3, name: 'ERR_UNKNOWN_TOPIC_OR_PART', message: 'no such topic' },
  })
})

test('an empty table is a sentence, unless all results are errors', () => {
  const columns = [{ title: 'topic', cell: (r: { topic: string }) => r.topic }]
  const empty = sessionOf()
  empty.session.table([], columns, 'no topics')
  assert.equal(empty.out(), 'no topics\n')
  const failed = sessionOf()
  failed.session.table([{ topic: 'b', error }], columns, 'no topics')
  assert.equal(failed.out(), '')
})

test('--timeout limits the request and the operation', () => {
  assert.deepEqual(Object.keys(sessionOf().session.limits), ['signal'])
  const { requestTimeoutMs, operationTimeoutMs } = sessionOf({ timeout: 5 }).session.limits
  assert.deepEqual([requestTimeoutMs, operationTimeoutMs], [5, 5])
})
