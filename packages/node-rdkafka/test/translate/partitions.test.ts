import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, KafkaError, OFFSET_INVALID } from 'ottla'
import { fromEvent, fromOffsets, toOffset, toStart } from '../../src/translate/partitions.ts'

const here = { topic: 't', partition: 0 }

test('where to begin: an offset, a word, or what is committed', () => {
  assert.deepEqual(toStart(here), { ...here, offset: -1000 })
  assert.deepEqual(toStart({ ...here, offset: 7 }), { ...here, offset: 7 })
  for (const word of ['beginning', 'earliest', 'EARLIEST']) assert.equal(toStart({ ...here, offset: word }).offset, -2)
  for (const word of ['end', 'latest']) assert.equal(toStart({ ...here, offset: word }).offset, -1)
  assert.equal(toStart({ ...here, offset: 'stored' }).offset, -1000)
  for (const wrong of [null, undefined, {}, { topic: 't' }, { partition: 0 }, { ...here, offset: 'middle' }]) {
    assert.throws(() => toStart(wrong), { name: 'TypeError' })
  }
})

test('what to commit must have an offset', () => {
  assert.deepEqual(toOffset({ ...here, offset: 7, metadata: 'm' }), { ...here, offset: 7, metadata: 'm' })
  assert.throws(() => toOffset(here), { name: 'TypeError' })
})

test('results have no offset where there is none, and errors in place of failed partitions', () => {
  const error = new KafkaError(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, 'there is none')
  const results = fromOffsets([
    { ...here, offset: 7 },
    { ...here, offset: OFFSET_INVALID },
    { ...here, offset: OFFSET_INVALID, error },
  ]) as unknown[]
  assert.deepEqual(results.slice(0, 2), [{ ...here, offset: 7 }, here])
  assert.ok(results[2] instanceof Error)
  assert.equal(results[2].message, 'Broker: there is none')
  assert.deepEqual(fromEvent([{ ...here, offset: -1000 }]), [here])
})
