import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TransactionPartitions } from '../../../src/producer/transaction/partitions.ts'
import { settle } from '../../base/fake-clock.ts'
import { makeQueue } from '../queues.ts'

interface Added {
  readonly partitions: number[]
  readonly answer: (added: boolean) => void
}

function start(): { partitions: TransactionPartitions; requests: Added[]; ready: () => number } {
  const requests: Added[] = []
  let ready = 0
  const partitions = new TransactionPartitions(
    queues => {
      return new Promise(answer => requests.push({ partitions: [...queues].map(q => q.partition), answer }))
    },
    () => ready++,
  )
  return { partitions, requests, ready: () => ready }
}

test('partitions of one turn are added together, and admitted once they are', async () => {
  const { partitions, requests, ready } = start()
  const [a, b] = [makeQueue(0), makeQueue(1)]
  assert.deepEqual([partitions.admits(a), partitions.admits(b), partitions.admits(a)], [false, false, false])
  await settle()
  assert.deepEqual(
    requests.map(request => request.partitions),
    [[0, 1]],
  )
  requests[0]?.answer(true)
  await partitions.idle()
  assert.deepEqual([partitions.admits(a), partitions.admits(b), ready()], [true, true, 1])
})

test('a partition that comes during a request goes into the next one', async () => {
  const { partitions, requests } = start()
  const [a, b] = [makeQueue(0), makeQueue(1)]
  partitions.admits(a)
  await settle()
  partitions.admits(b)
  requests[0]?.answer(true)
  await settle()
  const second = requests[1]
  assert.deepEqual(second?.partitions, [1])
  second.answer(true)
  await partitions.idle()
  assert.equal(partitions.admits(b), true)
})

test('after a failure nothing is added any more, and a new transaction begins with none', async () => {
  const { partitions, requests, ready } = start()
  const [a, b] = [makeQueue(0), makeQueue(1)]
  partitions.admits(a)
  await settle()
  partitions.admits(b)
  requests[0]?.answer(false)
  await partitions.idle()
  assert.deepEqual([requests.length, ready()], [1, 0])
  partitions.clear()
  assert.equal(partitions.admits(a), false)
  await settle()
  const second = requests[1]
  assert.deepEqual(second?.partitions, [0])
  second.answer(true)
  await partitions.idle()
})
