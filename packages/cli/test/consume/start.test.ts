import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ErrorCode,
  KafkaError,
  OFFSET_BEGINNING,
  OFFSET_END,
  OFFSET_STORED,
  offsetTail,
  type Consumer,
  type TopicPartitionOffset,
} from 'ottla'
import { parseOffset, startingPoints } from '../../src/consume/start.ts'
import { UsageError } from '../../src/terminal/terminal.ts'

const partition = { topic: 'orders', partition: 0 }

/** A consumer that finds these offsets by time. */
function finding(found: Partial<TopicPartitionOffset & { error: KafkaError }>): Consumer {
  const fake: Pick<Consumer, 'offsetsForTimes'> = {
    offsetsForTimes: asked => Promise.resolve(asked.map(p => ({ ...p, ...found }))),
  }
  return fake as Consumer // startingPoints calls nothing else
}

test('-o takes words, offsets, offsets from the end and times', () => {
  assert.equal(parseOffset(undefined), undefined)
  for (const word of ['beginning', 'earliest']) {
    assert.deepEqual(parseOffset(word), { kind: 'offset', offset: OFFSET_BEGINNING })
  }
  for (const word of ['end', 'latest']) assert.deepEqual(parseOffset(word), { kind: 'offset', offset: OFFSET_END })
  assert.deepEqual(parseOffset('stored'), { kind: 'offset', offset: OFFSET_STORED })
  assert.deepEqual(parseOffset('17'), { kind: 'offset', offset: 17 })
  assert.deepEqual(parseOffset('-3'), { kind: 'offset', offset: offsetTail(3) })
  assert.deepEqual(parseOffset('s@1700000000000'), { kind: 'time', ms: 1_700_000_000_000 })
})

test('anything else of -o is wrong usage', () => {
  for (const wrong of ['', 'middle', '1.5', 's@', 's@-1', '0x10', '99999999999999999999']) {
    assert.throws(() => parseOffset(wrong), UsageError, wrong)
  }
})

test('partitions begin at the offset, by default at the beginning', async () => {
  const consumer = finding({})
  assert.deepEqual(await startingPoints(consumer, [partition], undefined), [{ ...partition, offset: OFFSET_BEGINNING }])
  const start = { kind: 'offset', offset: 5 } as const
  assert.deepEqual(await startingPoints(consumer, [partition], start), [{ ...partition, offset: 5 }])
})

test('a time after the last message begins at the end, and an error of a partition is thrown', async () => {
  const start = { kind: 'time', ms: 1 } as const
  assert.equal((await startingPoints(finding({ offset: 7 }), [partition], start))[0]?.offset, 7)
  assert.equal((await startingPoints(finding({ offset: -1 }), [partition], start))[0]?.offset, OFFSET_END)
  const error = new KafkaError(ErrorCode.ERR_LEADER_NOT_AVAILABLE, 'no leader')
  await assert.rejects(startingPoints(finding({ error }), [partition], start), error)
})
