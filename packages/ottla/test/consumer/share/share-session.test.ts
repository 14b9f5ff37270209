import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ShareSession, type IdPartition } from '../../../src/consumer/share/share-session.ts'

const a = (partition: number): IdPartition => ({ topicId: 'a', partition })
const b = (partition: number): IdPartition => ({ topicId: 'b', partition })

test('partitions are named once, and forgotten when they are no longer wanted', () => {
  const session = new ShareSession()
  assert.deepEqual(session.fetch([a(0), a(1), b(0)], []), {
    epoch: 0,
    topics: [
      {
        topicId: 'a',
        partitions: [
          { partitionIndex: 0, acknowledgementBatches: [] },
          { partitionIndex: 1, acknowledgementBatches: [] },
        ],
      },
      { topicId: 'b', partitions: [{ partitionIndex: 0, acknowledgementBatches: [] }] },
    ],
    forgotten: [],
  })
  assert.equal(session.isOpen, false)
  session.answered()
  assert.equal(session.isOpen, true)
  assert.deepEqual(session.fetch([a(0), b(0)], []), {
    epoch: 1,
    topics: [],
    forgotten: [{ topicId: 'a', partitions: [1] }],
  })
  session.answered()
  assert.deepEqual(session.fetch([a(0), b(0)], []), { epoch: 2, topics: [], forgotten: [] })
})

test('pending acknowledgements of a partition go out before it is forgotten', () => {
  const session = new ShareSession()
  session.fetch([a(0), a(1)], [])
  session.answered()
  const batches = [{ firstOffset: 3, lastOffset: 4, acknowledgeTypes: [1] }]
  assert.deepEqual(session.fetch([a(0)], [{ ...a(1), batches }]), {
    epoch: 1,
    topics: [{ topicId: 'a', partitions: [{ partitionIndex: 1, acknowledgementBatches: batches }] }],
    forgotten: [],
  })
  session.answered()
  assert.deepEqual(session.fetch([a(0)], []).forgotten, [{ topicId: 'a', partitions: [1] }])
})

test('a partition that is only acknowledged is in the session by that, and to be forgotten', () => {
  const session = new ShareSession()
  session.fetch([a(0), a(1)], [])
  session.answered()
  assert.deepEqual(session.fetch([a(0)], []).forgotten, [{ topicId: 'a', partitions: [1] }])
  session.answered()
  session.fetch([a(0)], [{ ...a(1), batches: [{ firstOffset: 3, lastOffset: 4, acknowledgeTypes: [1] }] }])
  session.answered()
  assert.deepEqual(session.fetch([a(0)], []).forgotten, [{ topicId: 'a', partitions: [1] }])
  session.answered()
  session.acknowledge([{ ...a(1), batches: [{ firstOffset: 5, lastOffset: 5, acknowledgeTypes: [1] }] }], false)
  session.answered()
  assert.deepEqual(session.fetch([a(0)], []).forgotten, [], 'acknowledgements alone add nothing')
})

test('acknowledgements count up as fetches do, and the last ones end the session', () => {
  const session = new ShareSession()
  session.fetch([a(0)], [])
  session.answered()
  assert.equal(session.acknowledge([], false).epoch, 1)
  session.answered()
  assert.equal(session.fetch([a(0)], []).epoch, 2)
  session.answered()
  assert.equal(session.acknowledge([], true).epoch, -1)
})

test('a failed request counts for nothing: the next one opens a new session', () => {
  const session = new ShareSession()
  session.fetch([a(0)], [])
  session.answered()
  session.fetch([a(0), a(1)], [])
  session.reset()
  const { epoch, topics } = session.fetch([a(0), a(1)], [])
  assert.deepEqual([epoch, topics[0]?.partitions.length], [0, 2])
})
