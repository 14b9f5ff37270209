import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Accumulator } from '../../../src/producer/queue/accumulator.ts'
import { settle } from '../world.ts'

test('there is room until either limit is reached', () => {
  const byCount = new Accumulator(2, 1000)
  assert.ok(byCount.hasRoom(10))
  byCount.add(2, 20)
  assert.ok(!byCount.hasRoom(1))
  byCount.release(1, 10)
  assert.ok(byCount.hasRoom(10))

  const byBytes = new Accumulator(0, 1000)
  byBytes.add(50, 990)
  assert.ok(byBytes.hasRoom(10))
  assert.ok(!byBytes.hasRoom(11))
})

test('an empty queue takes a message that is larger than the whole limit', () => {
  const accumulator = new Accumulator(10, 100)
  assert.ok(accumulator.hasRoom(5000))
  accumulator.add(1, 5000)
  assert.ok(!accumulator.hasRoom(1))
})

test('waits for room are served in order, as many as fit', async () => {
  const accumulator = new Accumulator(2, 1000)
  accumulator.add(2, 20)
  const entered: number[] = []
  const waits = [1, 2, 3].map(i =>
    accumulator.waitForRoom(
      10,
      () => {
        accumulator.add(1, 10)
        entered.push(i)
        return i
      },
      undefined,
    ),
  )
  await settle()
  assert.deepEqual(entered, [])
  assert.ok(accumulator.hasWaiters)
  accumulator.release(1, 10)
  assert.deepEqual(entered, [1])
  accumulator.release(2, 20)
  assert.deepEqual(entered, [1, 2, 3])
  assert.deepEqual(await Promise.all(waits), [1, 2, 3])
})

test('an aborted wait for room lets those behind it pass', async () => {
  const accumulator = new Accumulator(2, 100)
  accumulator.add(1, 50)
  const abort = new AbortController()
  const large = accumulator.waitForRoom(90, () => 'large', abort.signal)
  const small = accumulator.waitForRoom(10, () => 'small', undefined)
  await settle()
  abort.abort(new Error('enough'))
  await assert.rejects(large, /enough/)
  assert.equal(await small, 'small')
})

test('a wait rejects with the error of its append', async () => {
  const accumulator = new Accumulator(1, 100)
  const wait = accumulator.waitForRoom(
    1,
    () => {
      throw new RangeError('no')
    },
    undefined,
  )
  await assert.rejects(wait, RangeError)
})

test('waits for the last report end once, when it has been delivered', () => {
  const accumulator = new Accumulator(10, 100)
  accumulator.add(2, 2)
  let told = 0
  accumulator.whenEmpty(() => told++)
  const cancel = accumulator.whenEmpty(() => (told += 100))
  cancel()
  accumulator.release(1, 1)
  accumulator.checkEmpty()
  assert.equal(told, 0)
  accumulator.release(1, 1)
  accumulator.checkEmpty()
  accumulator.checkEmpty()
  assert.equal(told, 1)
})

test('what waits for room, and what is being serialized, is unfinished like any other message', async () => {
  const accumulator = new Accumulator(1, 100)
  accumulator.add(1, 1)
  accumulator.beginPending()
  const abort = new AbortController()
  const gone = accumulator.waitForRoom(1, () => undefined, abort.signal)
  const waiting = accumulator.waitForRoom(1, () => accumulator.add(1, 1), undefined)
  assert.deepEqual([accumulator.unreported, accumulator.unfinished], [1, 4])
  abort.abort(new Error('enough'))
  await assert.rejects(gone, /enough/)
  accumulator.endPending()
  assert.equal(accumulator.unfinished, 2)
  accumulator.reporting++
  accumulator.release(1, 1)
  await waiting
  assert.deepEqual([accumulator.unreported, accumulator.unfinished], [2, 2])
  accumulator.reporting--
  assert.equal(accumulator.unfinished, 1)
})
