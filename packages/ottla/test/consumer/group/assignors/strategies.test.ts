import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GroupMember, GroupTopic } from '../../../../src/consumer/group/assignors/assignor.ts'
import {
  computeAssignment,
  isCooperative,
  strategiesOf,
  type Strategy,
} from '../../../../src/consumer/group/assignors/strategies.ts'

const four = new Map<string, GroupTopic>([['t', { partitionCount: 4, racks: [] }]])

function member(memberId: string, more: Partial<GroupMember> = {}): GroupMember {
  const nothing = { groupInstanceId: null, ownedPartitions: [], generationId: -1, rackId: null, userData: null }
  return { memberId, topics: ['t'], ...nothing, ...more }
}

function owned(...partitions: number[]): { topic: string; partition: number }[] {
  return partitions.map(partition => ({ topic: 't', partition }))
}

function one(name: string): Strategy {
  const [strategy] = strategiesOf([name], [])
  assert.ok(strategy !== undefined)
  return strategy
}

/** Numbers by member. */
async function dealt(name: string, ...members: GroupMember[]): Promise<Record<string, string>> {
  const entries = [...(await computeAssignment(one(name), members, four))]
  return Object.fromEntries(entries.map(([id, list]) => [id, list.map(p => p.partition).join()]))
}

test('sticky remembers by its own data, in the layout of Java, what a member had', async () => {
  const data = one('sticky').userData(['t'], { partitions: owned(1, 2, 3), generationId: 7 })
  const topic = '00000001' + '000174' + '00000003' + '00000001' + '00000002' + '00000003'
  assert.equal(data?.toString('hex'), topic + '00000007')
  assert.deepEqual(await dealt('sticky', member('a'), member('b', { userData: data })), { a: '0,1', b: '2,3' })
})

test('sticky goes without data that it cannot read, and reads that of its first version', async () => {
  const first = Buffer.from('00000001' + '000174' + '00000002' + '00000000' + '00000003', 'hex')
  assert.deepEqual(await dealt('sticky', member('a'), member('b', { userData: first })), { a: '1,2', b: '0,3' })
  assert.deepEqual(await dealt('sticky', member('a', { userData: Buffer.from('x') })), { a: '0,1,2,3' })
})

test('cooperative-sticky withholds what moves until its owner has given it up', async () => {
  const holder = member('b', { ownedPartitions: owned(0, 1, 2, 3), generationId: 5 })
  assert.deepEqual(await dealt('cooperative-sticky', member('a'), holder), { a: '', b: '2,3' })
  const after = member('b', { ownedPartitions: owned(2, 3), generationId: 6 })
  assert.deepEqual(await dealt('cooperative-sticky', member('a'), after), { a: '0,1', b: '2,3' })
})

test('of two that claim a partition the one of the newer generation keeps it, of equals neither does', async () => {
  const older = member('a', { ownedPartitions: owned(0, 1), generationId: 4 })
  const newer = member('b', { ownedPartitions: owned(1, 2), generationId: 5 })
  assert.deepEqual(await dealt('cooperative-sticky', older, newer), { a: '0,3', b: '2' })
  const equal = member('b', { ownedPartitions: owned(1, 2), generationId: 4 })
  assert.deepEqual(await dealt('cooperative-sticky', older, equal), { a: '0', b: '2,3' })
})

test('partitions go to members in their rack as far as the balance allows', async () => {
  const racks = ['r1', 'r2', 'r1', 'r2'].map(rack => new Set([rack]))
  const topics = new Map([['t', { partitionCount: 4, racks }]])
  const members = [member('a', { rackId: 'r2' }), member('b', { rackId: 'r1' }), member('c', { rackId: 'r1' })]
  const [strategy] = strategiesOf(['cooperative-sticky'], [])
  assert.ok(strategy !== undefined)
  const result = await computeAssignment(strategy, members, topics)
  assert.deepEqual(result.get('a'), owned(1, 3))
})

test('members keep partitions during a rebalance only if all strategies can do so', () => {
  assert.equal(isCooperative(strategiesOf(['cooperative-sticky'], [])), true)
  assert.equal(isCooperative(strategiesOf(['cooperative-sticky', 'range'], [])), false)
})

test("an application's strategy is found by its name, and an unknown one is refused", () => {
  const all = { name: 'first-takes-all', assign: () => new Map([['a', owned(0, 1, 2, 3)]]) }
  const [own, range] = strategiesOf(['first-takes-all', 'range'], [all])
  assert.equal(own?.name, 'first-takes-all')
  assert.equal(range?.name, 'range')
  assert.throws(() => strategiesOf(['other'], [all]), /'other' is unknown; known are range, .*first-takes-all/)
  assert.throws(() => strategiesOf(['range'], [{ ...all, name: 'range' }]), /there already is a strategy 'range'/)
})

test("an application's strategy may take its time, and fail", async () => {
  const slow = { name: 'slow', assign: () => Promise.resolve(new Map([['a', owned(0)]])) }
  const failing = { name: 'failing', assign: () => Promise.reject(new Error('no')) }
  const [first, second] = strategiesOf(['slow', 'failing'], [slow, failing])
  assert.ok(first !== undefined && second !== undefined)
  assert.deepEqual((await computeAssignment(first, [member('a')], four)).get('a'), owned(0))
  await assert.rejects(computeAssignment(second, [member('a')], four), { message: 'no' })
})
