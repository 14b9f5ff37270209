import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JobList, type Job, type JobHolder } from '../../../src/consumer/read/job-list.ts'

const place = { topic: 't', partition: 0, name: 't [0]' }
const holder: JobHolder = { job: null, onAwaitsEnd: () => undefined }

function listOf(...begun: number[]): { list: JobList; jobs: Job[] } {
  const list = new JobList()
  return { list, jobs: begun.map(since => list.add(holder, place, since, 'handler', '', since)) }
}

const offsets = (jobs: readonly Job[]): number[] => jobs.map(({ offset }) => offset)

test('jobs are in the order of their beginning, whichever ends first', () => {
  const { list, jobs } = listOf(1, 2, 3, 4)
  const [first, second, , last] = jobs
  assert.ok(first && second && last)
  assert.equal(list.delete(second), true)
  assert.deepEqual(offsets(list.all()), [1, 3, 4])
  assert.equal(list.delete(first), true)
  assert.equal(list.delete(last), true)
  assert.deepEqual([offsets(list.all()), list.size, list.oldestSince], [[3], 1, 3])
  assert.equal(list.delete(first), false, 'it has ended already')
})

test('the oldest come first, up to a moment', () => {
  const { list } = listOf(10, 20, 30)
  assert.deepEqual(offsets(list.begunBefore(30)), [10, 20])
  assert.deepEqual(list.begunBefore(10), [])
  list.clear()
  assert.deepEqual([list.size, list.oldestSince], [0, Infinity])
})

test('a job is reused for the next offset only if nobody has a reference to it', () => {
  const { list, jobs } = listOf(1, 2)
  const [first] = jobs
  assert.ok(first)
  assert.equal(list.renew(first, 5, 'reader', 3), true)
  assert.deepEqual([first.offset, first.since, list.oldestSince], [5, 3, 2], 'it is the youngest now')
  list.all()
  assert.equal(list.renew(first, 6, 'reader', 4), false)
  assert.equal(first.offset, 5)
  list.delete(first)
  assert.equal(list.has(first), false)
})
