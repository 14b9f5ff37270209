import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Writer, writeConsumerProtocolSubscription } from '@ottla/protocol'
import { readAssignment, readSubscription, writeAssignment } from '../../src/groups/consumer-protocol.ts'

const assignment = { assignedPartitions: [{ topic: 't', partitions: [0, 2] }], userData: null }

function versioned(version: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(version)
  return bytes
}

test('an assignment has the version of the member’s metadata, up to the highest known', () => {
  for (const [theirs, expected] of [
    [1, 1],
    [3, 3],
    [9, 3],
  ] as const) {
    const bytes = writeAssignment(assignment, versioned(theirs))
    assert.equal(bytes.readInt16BE(0), expected)
    assert.deepEqual(readAssignment(bytes)?.assignedPartitions, assignment.assignedPartitions)
  }
  assert.equal(writeAssignment(assignment, Buffer.alloc(0)).readInt16BE(0), 0)
})

test('a subscription of a later version is read as the highest known one', () => {
  const writer = new Writer()
  writer.int16(7)
  const subscription = { topics: ['t'], userData: null, ownedPartitions: [], generationId: 4, rackId: 'r' }
  writeConsumerProtocolSubscription(writer, subscription, 3)
  const bytes = Buffer.concat([...writer.finish(), Buffer.from('what the future adds')])
  assert.deepEqual(readSubscription(bytes)?.topics, ['t'])
})

test('what a consumer did not write is null', () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('x'), versioned(-1), Buffer.from('no consumer wrote this')]) {
    assert.equal(readSubscription(bytes), null)
    assert.equal(readAssignment(bytes), null)
  }
})
