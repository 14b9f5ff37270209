import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchRunSettings, runSettings } from '../../../src/consumer/run/options.ts'
import { ErrorCode } from '../../../src/errors.ts'

// As an application without types passes it.
const settingsOf = (options: unknown): ReturnType<typeof runSettings> => runSettings(options as never)
const handler = (): void => undefined

test('a handler is enough', () => {
  assert.deepEqual(settingsOf({ handler }), {
    concurrency: 1,
    order: 'partition',
    retries: 0,
    backoffMs: 100,
    backoffMaxMs: 10_000,
    drainMs: 30_000,
    handlerTimeoutMs: undefined,
    commit: true,
  })
  assert.equal(settingsOf({ handler, retry: { retries: 2 } }).backoffMs, 100)
})

test('what cannot work is refused with the option and its value', () => {
  for (const [options, message] of [
    [undefined, 'run takes { handler } and other options'],
    [{}, 'run: handler must be a function'],
    [{ eachMessage: handler }, 'run has no eachMessage: handler(message, context) is called for every message'],
    [{ eachBatch: handler }, 'run has no eachBatch: batchHandler(batch, context) is called for every batch'],
    [{ handler, commit: 'no' }, 'run: commit must be true or false'],
    [{ handler, concurrency: 0 }, 'run: concurrency=0 must be a whole number, 1 or more'],
    [{ handler, concurrency: 1.5 }, 'run: concurrency=1.5 must be a whole number, 1 or more'],
    [{ handler, order: 'any' }, 'run: order=any must be partition, key or none'],
    [{ handler, retry: { retries: -1 } }, 'run: retries=-1 must be 0 or more'],
    [{ handler, retry: { backoffMaxMs: NaN } }, 'run: backoffMaxMs=NaN must be 0 or more'],
    [{ handler, drainMs: -1 }, 'run: drainMs=-1 must be 0 or more'],
    [{ handler, handlerTimeoutMs: 0 }, 'run: handlerTimeoutMs=0 must be more than 0'],
    [
      { handler, deadLetter: { topic: '', producer: { send: handler } } },
      'run: deadLetter needs a topic and a producer',
    ],
    [{ handler, deadLetter: { topic: 't', producer: {} } }, 'run: deadLetter needs a topic and a producer'],
  ] as const) {
    assert.throws(() => settingsOf(options), { code: ErrorCode.ERR__INVALID_ARG, message })
  }
})

test('batches have a handler and options of their own', () => {
  const batchHandler = handler
  const of = (options: unknown): ReturnType<typeof batchRunSettings> => batchRunSettings(options as never)
  assert.deepEqual([of({ batchHandler }).maxMessages, of({ batchHandler, commit: false }).commit], [10_000, false])
  for (const [options, message] of [
    [{ batchHandler: 1 }, 'run: batchHandler must be a function'],
    [{ batchHandler, maxMessages: 0 }, 'run: maxMessages=0 must be a whole number, 1 or more'],
    [{ batchHandler, handler }, 'run: handler and batchHandler cannot be combined'],
    [{ batchHandler, order: 'key' }, 'run: order and batchHandler cannot be combined'],
    [{ batchHandler, deadLetter: {} }, 'run: deadLetter and batchHandler cannot be combined'],
  ] as const) {
    assert.throws(() => of(options), { code: ErrorCode.ERR__INVALID_ARG, message })
  }
})
