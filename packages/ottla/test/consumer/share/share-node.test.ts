import { test } from 'node:test'
import assert from 'node:assert/strict'
import { acknowledgeTypes } from '../../../src/consumer/share/acknowledgements.ts'
import { ShareNode } from '../../../src/consumer/share/share-node.ts'

const MOST_MS = 20_000
const CHECK_MS = 500

function nodeAndSource(): { node: ShareNode; source: ReturnType<ShareNode['source']> } {
  const node = new ShareNode(1, () => Promise.resolve())
  return { node, source: node.source('t', { topicId: 'id', partition: 0 }) }
}

test('a fetch waits long for messages only while nothing is locked or to be acknowledged', () => {
  const { node, source } = nodeAndSource()
  assert.equal(node.waitMs(MOST_MS, CHECK_MS, 0), 1000)
  source.held++
  assert.equal(node.waitMs(MOST_MS, CHECK_MS, 0), 100)
  source.held--
  node.add(source, 0, acknowledgeTypes.accept, 0)
  assert.equal(node.waitMs(MOST_MS, CHECK_MS, 0), 100)
  node.take(0)
  assert.equal(node.waitMs(MOST_MS, CHECK_MS, 0), 1000)
})

test('it never waits longer than fetch.wait.max.ms, nor beyond the next look at locks', () => {
  const { node, source } = nodeAndSource()
  assert.equal(node.waitMs(50, CHECK_MS, 0), 50)
  source.held++
  assert.equal(node.waitMs(50, CHECK_MS, 0), 50)
  assert.equal(node.waitMs(MOST_MS, 62.5, 0), 63)
})

test('an idle fetch leaves half of the lock duration to the messages that it brings', () => {
  const { node } = nodeAndSource()
  // Locks are checked every eighth of their duration: 1000 and 500 ms.
  assert.deepEqual(
    [125, 62.5].map(checkMs => node.waitMs(MOST_MS, checkMs, 0)),
    [500, 250],
  )
})

test('while a call waits for its answer a fetch does not wait, and afterwards no longer than since then', () => {
  const { node, source } = nodeAndSource()
  source.held++
  node.flush()
  assert.equal(node.waitMs(MOST_MS, CHECK_MS, 900), 100)
  node.add(source, 0, acknowledgeTypes.accept, 900)
  node.flush()
  assert.equal(node.waitMs(MOST_MS, CHECK_MS, 1000), 0)
  node.take(1000)
  const waits = [1001, 1011, 1021, 1041, 1080.5, 1162].map(now => node.waitMs(MOST_MS, CHECK_MS, now))
  assert.deepEqual(waits, [10, 11, 21, 41, 81, 100])
  source.held--
  assert.equal(node.waitMs(MOST_MS, CHECK_MS, 1001), 1000)
})

test('a lost session leaves nothing to acknowledge', () => {
  const { node, source } = nodeAndSource()
  source.held++
  node.reset()
  assert.equal(node.waitMs(MOST_MS, CHECK_MS, 0), 1000)
})

test('it knows whether anything is to be said of other partitions than those of a fetch', () => {
  const { node, source } = nodeAndSource()
  const others = [{ topicId: 'id', partition: 1 }]
  assert.equal(node.hasPendingBeside(others), false)
  node.add(source, 0, acknowledgeTypes.accept, 0)
  assert.equal(node.hasPendingBeside(others), true)
  assert.equal(node.hasPendingBeside([...others, source]), false)
  node.take(0)
  assert.equal(node.hasPendingBeside(others), false)
})
