import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cursor } from '../../../src/consumer/partition/cursor.ts'
import type { FetchedMessage } from '../../../src/consumer/partition/message.ts'
import { RunningJobs } from '../../../src/consumer/read/running-jobs.ts'
import { Attempts } from '../../../src/consumer/run/attempts.ts'
import { runSettings, type RunContext, type RunOptions } from '../../../src/consumer/run/options.ts'
import { PartitionWork } from '../../../src/consumer/run/partition-work.ts'
import { ErrorCode } from '../../../src/errors.ts'
import { FakeClock } from '../../base/fake-clock.ts'

const BACKOFF_MS = 100

function scene(handler: (context: RunContext) => unknown, options: Partial<RunOptions> = {}) {
  const clock = new FakeClock()
  const cursor = new Cursor('t', 0)
  cursor.moveTo(5)
  const partition = new PartitionWork(cursor)
  const fields = { cursor, offset: 5, leaderEpoch: 0, era: cursor.offsets.era, topic: 't', partition: 0, headers: [] }
  const message = Object.defineProperty(fields, 'isStale', { get: () => fields.era !== cursor.offsets.era })
  const task = partition.take(message as unknown as FetchedMessage, null, 1)
  const all: RunOptions = {
    retry: { backoffMs: BACKOFF_MS, backoffMaxMs: BACKOFF_MS, ...options.retry },
    ...(options.deadLetter === undefined ? {} : { deadLetter: options.deadLetter }),
    ...(options.handlerTimeoutMs === undefined ? {} : { handlerTimeoutMs: options.handlerTimeoutMs }),
    handler: async (_, context) => {
      await handler(context)
    },
  }
  const client = {
    name: 'test#consumer-1',
    kind: 'consumer',
    clientId: 'test',
    groupId: 'g',
    transactionalId: null,
  } as const
  const host = { client, clock, random: () => 0.5, runningJobs: new RunningJobs(clock, 1e6), decoding: null }
  const attempts = new Attempts(host, all, runSettings(all))
  const work = (): Promise<string> => attempts.work(task)
  return { clock, cursor, partition, work }
}

/** The outcome, after all backoffs. */
async function settled(clock: FakeClock, work: Promise<string>): Promise<string> {
  const outcome = work.catch((error: unknown) => (error as Error).message)
  await clock.advance(BACKOFF_MS * 20)
  return outcome
}

const failing = (times: number) => {
  const attempts: number[] = []
  return {
    attempts,
    handler: ({ attempt }: RunContext) => {
      attempts.push(attempt)
      if (attempts.length <= times) throw new Error(`failure ${attempts.length}`)
    },
  }
}

test('a message is retried as often as allowed, and ends the run with its last error', async () => {
  const lucky = failing(2)
  const one = scene(lucky.handler, { retry: { retries: 2 } })
  assert.equal(await settled(one.clock, one.work()), 'done')
  assert.deepEqual([lucky.attempts, one.cursor.offsets.stored], [[1, 2, 3], 6])
  const unlucky = failing(9)
  const other = scene(unlucky.handler, { retry: { retries: 2 } })
  assert.equal(await settled(other.clock, other.work()), 'failure 3')
  assert.deepEqual([unlucky.attempts.length, other.cursor.offsets.stored < 0], [3, true])
})

test('what has failed for good goes to the dead-letter topic, and is done', async () => {
  const sent: { headers: { key: string; value: unknown }[] }[] = []
  const producer = { send: (message: never) => Promise.resolve(sent.push(message)) }
  const { clock, cursor, work } = scene(failing(9).handler, {
    retry: { retries: 1 },
    deadLetter: { topic: 'x', producer },
  })
  assert.equal(await settled(clock, work()), 'done')
  assert.deepEqual(sent[0]?.headers.slice(-2), [
    { key: 'ottla.error', value: 'Error: failure 2' },
    { key: 'ottla.attempts', value: '2' },
  ])
  assert.equal(cursor.offsets.stored, 6)
})

test('a partition that drains ends the backoff, and leaves the message to the next reader', async () => {
  const { clock, partition, work } = scene(failing(1).handler, { retry: { retries: 5 } })
  const outcome = work()
  await clock.advance(BACKOFF_MS / 4)
  partition.drain()
  assert.equal(await outcome, 'abandoned')
  assert.equal(clock.pendingTimers, 0)
})

test('a move of the position, or the loss of the partition, makes a failure irrelevant', async () => {
  const moved = scene(failing(9).handler, { retry: { retries: 1 } })
  const outcome = moved.work()
  await moved.clock.advance(BACKOFF_MS / 4)
  moved.cursor.moveTo(0)
  assert.equal(await settled(moved.clock, outcome), 'abandoned')
  const lost = scene(() => {
    lost.partition.end()
    throw new Error('too late')
  })
  assert.equal(await settled(lost.clock, lost.work()), 'abandoned')
})

test('a paused partition keeps its message for later', async () => {
  const { cursor, work } = scene(() => undefined)
  cursor.pause(0)
  assert.equal(await work(), 'again')
  cursor.resume()
  assert.equal(await work(), 'done')
})

test('an attempt that takes too long has failed, and its signal says so', async () => {
  const reasons: unknown[] = []
  const { clock, work } = scene(
    ({ signal, attempt }) => {
      signal.addEventListener('abort', () => reasons.push((signal.reason as { code: number }).code))
      return attempt === 1 ? new Promise(() => undefined) : undefined
    },
    { retry: { retries: 1 }, handlerTimeoutMs: 50 },
  )
  assert.equal(await settled(clock, work()), 'done')
  assert.deepEqual([reasons, clock.pendingTimers], [[ErrorCode.ERR__TIMED_OUT], 0])
})
