/** Messages go to the partitions that kafkajs chooses for them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Partitioners } from '../../src/index.ts'
import type { Message } from '../../src/types/producer.ts'
import type { PartitionMetadata } from '../../src/types/metadata.ts'
import { original } from '../kafkajs.ts'

const partitions = (count: number, leader = 0): PartitionMetadata[] =>
  Array.from({ length: count }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader,
    replicas: [],
    isr: [],
  }))

const key = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes)),
)

for (const name of ['DefaultPartitioner', 'LegacyPartitioner', 'JavaCompatiblePartitioner'] as const) {
  test(`${name}: a key's partition`, () => {
    const [ours, theirs] = [Partitioners[name](), original.Partitioners[name]?.()]
    assert.ok(theirs !== undefined)
    const samples = fc.property(key, fc.integer({ min: 1, max: 300 }), (each, count) => {
      const args = { topic: 't', partitionMetadata: partitions(count), message: { key: each, value: 'v' } }
      assert.equal(ours(args), theirs(args))
    })
    fc.assert(samples, { numRuns: 2000 })
  })

  test(`${name}: a message's own partition comes first`, () => {
    const choose = Partitioners[name]()
    const message: Message = { key: 'k', value: 'v', partition: 7 }
    assert.equal(choose({ topic: 't', partitionMetadata: partitions(3), message }), 7)
    assert.equal(choose({ topic: 't', partitionMetadata: partitions(9), message: { ...message, partition: 0 } }), 0)
  })

  test(`${name}: messages without a key take the partitions in turn, those with a leader`, () => {
    const choose = Partitioners[name]()
    const [dead] = partitions(1, -1)
    const partitionMetadata = [...(dead === undefined ? [] : [dead]), ...partitions(4).slice(1)]
    const chosen = Array.from({ length: 9 }, () =>
      choose({ topic: 't', partitionMetadata, message: { key: null, value: 'v' } }),
    )
    for (const partition of [1, 2, 3]) assert.equal(chosen.filter(each => each === partition).length, 3)
  })
}
