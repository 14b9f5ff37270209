import assert from 'node:assert/strict'
import { test } from 'node:test'
import { STOP, takeAll } from '../../../src/consumer/read/take-all.ts'
import { ErrorCode, KafkaError } from '../../../src/errors.ts'

/** Takes what the list has; what is an error is thrown. The source waits for the next of its own list. */
async function takeFrom(ready: (number | Error)[], awaited: (number | Error | typeof STOP | null)[]) {
  const taken: number[] = []
  const warned: string[] = []
  const next = <T>(list: T[]): Exclude<T, Error> | null => {
    const found = list.shift() ?? null
    if (found instanceof Error) throw found
    return found as Exclude<T, Error> | null
  }
  await takeAll<number>(
    { awaitNext: <T>() => Promise.resolve().then(() => next(awaited) as T | null) },
    {},
    () => next(ready),
    each => taken.push(each),
    error => warned.push(error.message),
  )
  return { taken, warned }
}

test('it takes what is there, waits for more, and ends with STOP or the consumer', async () => {
  assert.deepEqual((await takeFrom([1, 2], [3, STOP, 4])).taken, [1, 2, 3])
  assert.deepEqual((await takeFrom([], [1, null, 2])).taken, [1])
})

test('an error that the client recovers from is a warning; a fatal one, or any other, ends it', async () => {
  const passing = new KafkaError(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED, 'forbidden')
  assert.deepEqual(await takeFrom([1, passing, 2], [passing, STOP]), {
    taken: [1, 2],
    warned: ['forbidden', 'forbidden'],
  })
  const fatal = new KafkaError(ErrorCode.ERR_FENCED_INSTANCE_ID, 'fenced', { fatal: true })
  await assert.rejects(takeFrom([fatal], []), fatal)
  await assert.rejects(takeFrom([], [new TypeError('a mistake')]), { message: 'a mistake' })
})
