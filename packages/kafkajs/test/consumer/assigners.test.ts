/** What members of a group tell each other is what kafkajs's members tell: both may be in one group. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AssignerProtocol, PartitionAssigners } from '../../src/index.ts'
import type { Cluster, GroupMemberAssignment, PartitionAssigner } from '../../src/types/cluster.ts'
import type { Logger } from '../../src/types/logging.ts'
import { original } from '../kafkajs.ts'

const { MemberMetadata, MemberAssignment } = AssignerProtocol
const theirs = original.AssignerProtocol

const topic = fc.string({ minLength: 1, maxLength: 10 })
const userData = fc.uint8Array({ maxLength: 20 }).map(bytes => Buffer.from(bytes))
const version = fc.integer({ min: 0, max: 3 })
// kafkajs's own loses a topic called `__proto__`.
const named = topic.filter(name => name !== '__proto__')
const assignment = fc.dictionary(named, fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 5 }), {
  noNullPrototype: true,
})

test('a member’s metadata: the same bytes, the same contents', () => {
  fc.assert(
    fc.property(version, fc.array(topic), userData, (v, topics, data) => {
      const value = { version: v, topics, userData: data }
      const bytes = MemberMetadata.encode(value)
      assert.deepEqual(bytes, theirs.MemberMetadata.encode(value))
      assert.deepEqual(MemberMetadata.decode(bytes), theirs.MemberMetadata.decode(bytes))
    }),
  )
})

test('a member’s assignment: the same bytes, the same contents', () => {
  fc.assert(
    fc.property(version, assignment, userData, (v, assigned, data) => {
      const value = { version: v, assignment: assigned, userData: data }
      const bytes = MemberAssignment.encode(value)
      assert.deepEqual(bytes, theirs.MemberAssignment.encode(value))
      assert.deepEqual({ ...MemberAssignment.decode(bytes) }, { ...theirs.MemberAssignment.decode(bytes) })
    }),
  )
})

test('without user data, and without an assignment', () => {
  const metadata = { version: 1, topics: ['topic-test'] }
  const bytes = MemberMetadata.encode(metadata as never)
  assert.deepEqual(bytes, theirs.MemberMetadata.encode(metadata as never))
  assert.deepEqual(MemberMetadata.decode(bytes), { ...metadata, userData: Buffer.alloc(0) })
  assert.equal(MemberAssignment.decode(Buffer.alloc(0)), null)
})

test('roundRobin assigns as kafkajs’s does', async () => {
  const samples = fc.asyncProperty(
    fc.uniqueArray(topic, { maxLength: 4 }),
    // kafkajs's own fails with a member called `toString`.
    fc.uniqueArray(
      fc.string({ minLength: 1 }).filter(id => !(id in {})),
      { minLength: 1, maxLength: 5 },
    ),
    fc.integer({ min: 1, max: 7 }),
    async (topics, ids, count) => {
      const assign = async (create: PartitionAssigner): Promise<Map<string, GroupMemberAssignment>> => {
        const partitions = Array.from({ length: count }, (_, partitionId) => ({ partitionId }))
        const cluster = { findTopicPartitionMetadata: () => partitions } as unknown as Cluster // all that it asks
        const assigner = create({ cluster, groupId: 'g', logger: {} as Logger })
        const { metadata } = assigner.protocol({ topics })
        const assigned = await assigner.assign({
          members: ids.map(memberId => ({ memberId, memberMetadata: metadata })),
          topics,
        })
        return new Map(assigned.map(each => [each.memberId, each]))
      }
      assert.deepEqual(
        await assign(PartitionAssigners.roundRobin),
        await assign(original.PartitionAssigners.roundRobin),
      )
    },
  )
  await fc.assert(samples)
})
