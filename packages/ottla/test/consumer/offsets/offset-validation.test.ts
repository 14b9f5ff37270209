import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cluster } from '../../../src/cluster/cluster.ts'
import type { ClientContext } from '../../../src/cluster/context.ts'
import type { FetchQueue } from '../../../src/consumer/fetch/fetch-queue.ts'
import { OffsetValidator } from '../../../src/consumer/offsets/offset-validation.ts'
import { Cursor } from '../../../src/consumer/partition/cursor.ts'
import { ErrorCode, KafkaError } from '../../../src/errors.ts'
import { FakeClock } from '../../base/fake-clock.ts'

const NEW_EPOCH = 5

/** Read up to offset 10 of epoch 4, delivered up to offset 8; leader 1 of epoch 5 answers as the test says. */
async function validated(answer: object | Error, policy = 'earliest', open: number | null = null) {
  const clock = new FakeClock()
  const cursor = new Cursor('t', 0)
  cursor.moveTo(10, 4)
  cursor.position = 8
  cursor.validate()
  const seen: string[] = []
  const topics = new Map([['t', { partitions: [{ leader: 1, leaderEpoch: NEW_EPOCH }] }]])
  const metadata = { snapshot: { topics }, requestRefresh: () => seen.push('refresh') }
  const request = (): Promise<unknown> =>
    answer instanceof Error
      ? Promise.reject(answer)
      : Promise.resolve({ topics: [{ topic: 't', partitions: [{ partition: 0, errorCode: 0, ...answer }] }] })
  const cluster = { metadata, broker: () => ({ request }) } as unknown as Cluster
  const settings = { 'auto.offset.reset': policy, 'retry.backoff.ms': 100, 'retry.backoff.max.ms': 100 }
  const logger = { debug: () => undefined, warning: (facility: string) => seen.push(facility) }
  const context = { clock, settings, logger, random: () => 0.5 } as unknown as ClientContext
  const queue = { forget: () => seen.push('forget') } as unknown as FetchQueue
  const validator = new OffsetValidator(context, cluster, queue, {
    cursors: [cursor],
    firstOpen: () => open,
    onValidated: () => undefined,
    reset: (_, reason) => {
      seen.push(`reset: ${reason}`)
      cursor.stop()
    },
    raise: error => seen.push(error.name),
  })
  validator.kick()
  await clock.advance(0)
  await validator.close()
  return { cursor, seen }
}

test('a leader that has everything is fetched from', async () => {
  const { cursor, seen } = await validated({ leaderEpoch: 4, endOffset: 10 })
  assert.deepEqual([cursor.state, cursor.fetchOffset, cursor.validEpoch, seen], ['active', 10, NEW_EPOCH, []])
})

test('what was fetched and not delivered is fetched again, without a loss', async () => {
  const { cursor, seen } = await validated({ leaderEpoch: 4, endOffset: 9 })
  assert.deepEqual([cursor.position, cursor.fetchOffset, seen], [8, 8, ['forget', 'TRUNCATION']])
})

test('what was delivered and is gone: reading continues where the logs diverge', async () => {
  const { cursor, seen } = await validated({ leaderEpoch: 3, endOffset: 6 })
  assert.deepEqual([cursor.position, cursor.state, seen], [6, 'active', ['forget', 'TRUNCATION']])
})

test('what was taken before that and is not done comes again', async () => {
  const taken = await validated({ leaderEpoch: 3, endOffset: 6 }, 'earliest', 4)
  assert.deepEqual([taken.cursor.position, taken.seen], [4, ['forget', 'TRUNCATION']])
  const gone = await validated({ leaderEpoch: 3, endOffset: 6 }, 'earliest', 7)
  assert.equal(gone.cursor.position, 6)
  const unseen = await validated({ leaderEpoch: 4, endOffset: 9 }, 'earliest', 4)
  assert.equal(unseen.cursor.position, 8)
})

test('with auto.offset.reset=error a truncation of what was delivered stops the partition', async () => {
  const { cursor, seen } = await validated({ leaderEpoch: 3, endOffset: 6 }, 'error')
  assert.deepEqual([cursor.state, seen], ['stopped', ['forget', 'ERR__LOG_TRUNCATION']])
  const unseen = await validated({ leaderEpoch: 4, endOffset: 8 }, 'error')
  assert.deepEqual([unseen.cursor.state, unseen.cursor.position], ['active', 8], 'nothing was lost')
})

test('a log that has nothing of what was read is reset', async () => {
  const { seen } = await validated({ leaderEpoch: -1, endOffset: -1 })
  assert.deepEqual(seen, [
    'forget',
    'reset: the log was truncated: it was read up to offset 10 of leader epoch 4, of which the new leader has nothing',
  ])
})

test('a broker that is too old to be asked is taken at its word; any other failure is retried', async () => {
  const old = await validated(new KafkaError(ErrorCode.ERR__UNSUPPORTED_FEATURE, 'too old'))
  assert.deepEqual([old.cursor.state, old.seen], ['active', []])
  const lost = await validated(new KafkaError(ErrorCode.ERR__TRANSPORT, 'disconnected'))
  assert.deepEqual([lost.cursor.state, lost.seen], ['validating', ['refresh']])
  const refused = await validated({ errorCode: ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED })
  assert.deepEqual([refused.cursor.state, refused.seen], ['validating', ['ERR_TOPIC_AUTHORIZATION_FAILED']])
})
