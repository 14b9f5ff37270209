import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProtocolError } from '@ottla/protocol'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../src/consumer/group/member-metadata.ts'

test('a subscription comes back as it was sent', () => {
  const subscription = {
    topics: ['a', 'b'],
    ownedPartitions: [{ topic: 'a', partition: 3 }],
    generationId: 7,
    rackId: 'r1',
    userData: Buffer.from('u'),
  }
  assert.deepEqual(decodeSubscription(encodeSubscription(subscription)), subscription)
})

test('the bytes of a subscription are those of Java: version 3, topics, no user data, nothing owned', () => {
  const bytes = encodeSubscription({
    topics: ['t'],
    ownedPartitions: [],
    generationId: -1,
    rackId: null,
    userData: null,
  })
  assert.equal(bytes.toString('hex'), '0003' + '00000001' + '000174' + 'ffffffff' + '00000000' + 'ffffffff' + 'ffff')
})

test('a subscription of version 0, and one of a version to come, are understood', () => {
  const old = Buffer.from('0000' + '00000001' + '000174' + 'ffffffff', 'hex')
  assert.deepEqual(decodeSubscription(old).topics, ['t'])
  const next = encodeSubscription({
    topics: ['t'],
    ownedPartitions: [],
    generationId: -1,
    rackId: null,
    userData: null,
  })
  next.writeInt16BE(9, 0)
  assert.deepEqual(decodeSubscription(Buffer.concat([next, Buffer.from('more')])).topics, ['t'])
})

test('an assignment comes back as it was sent', () => {
  const partitions = [
    { topic: 'a', partition: 0 },
    { topic: 'a', partition: 2 },
    { topic: 'b', partition: 1 },
  ]
  assert.deepEqual(decodeAssignment(encodeAssignment(partitions)), partitions)
})

test('no bytes at all are an assignment of nothing', () => {
  assert.deepEqual(decodeAssignment(Buffer.alloc(0)), [])
})

test('bytes that are neither are refused', () => {
  assert.throws(() => decodeSubscription(Buffer.from('0003ffff', 'hex')), ProtocolError)
  assert.throws(() => decodeAssignment(Buffer.from('ffff00000000', 'hex')), ProtocolError)
})
