import { test } from 'node:test'
import assert from 'node:assert/strict'
import { assignors, type Assignment, type AssignorMember } from '../../src/groups/assignors.ts'

type Owned = Record<string, string[]>

/** Members by id with the topics that they read; partitions that they had before as `t/0`. */
function members(
  topics: Record<string, string[]>,
  before: Owned = {},
  instances: Record<string, string> = {},
): AssignorMember[] {
  return Object.entries(topics).map(([id, topicIds]) => ({
    id,
    instanceId: instances[id] ?? null,
    topicIds: new Set(topicIds),
    owned: new Set(before[id] ?? []),
  }))
}

function plain(assignment: Assignment): Owned {
  return Object.fromEntries([...assignment].map(([id, share]) => [id, [...share].sort()]))
}

function run(name: string, list: AssignorMember[], counts: Record<string, number>): Owned {
  const assign = assignors.get(name)
  assert.ok(assign !== undefined)
  return plain(assign(list, new Map(Object.entries(counts))))
}

test('range assigns neighbouring partitions of each topic, in the order of instance ids and member ids', () => {
  const list = members({ b: ['t', 'u'], a: ['t', 'u'], c: ['t'] }, {}, { c: 'first' })
  assert.deepEqual(run('range', list, { t: 4, u: 2 }), {
    b: ['t/3', 'u/1'],
    a: ['t/2', 'u/0'],
    c: ['t/0', 't/1'],
  })
})

test('uniform assigns evenly and moves no more than it has to', () => {
  const first = run('uniform', members({ a: ['t'] }), { t: 5 })
  const second = run('uniform', members({ a: ['t'], b: ['t'] }, first), { t: 5 })
  assert.deepEqual([second['a']?.length, second['b']?.length], [3, 2])
  assert.ok(second['a']?.every(key => first['a']?.includes(key)))
  const third = run('uniform', members({ b: ['t'] }, second), { t: 5 })
  assert.equal(third['b']?.length, 5)
  assert.deepEqual(run('uniform', members({ a: [], b: [] }), {}), { a: [], b: [] })
})

test('a partition that two members claim goes to one of them', () => {
  const before = { a: ['t/0', 't/1'], b: ['t/0', 't/1'] }
  const after = run('uniform', members({ a: ['t'], b: ['t'] }, before), { t: 2 })
  assert.deepEqual([...(after['a'] ?? []), ...(after['b'] ?? [])].sort(), ['t/0', 't/1'])
})

test('uniform distributes topics that only some read over those, and the rest over the others', () => {
  const after = run('uniform', members({ a: ['t'], b: ['t', 'u'] }), { t: 2, u: 2 })
  assert.deepEqual(after, { a: ['t/0', 't/1'], b: ['u/0', 'u/1'] })
  const late = run(
    'uniform',
    members({ a: ['t', 'u'], b: ['t', 'u'], c: ['t'] }, { a: ['t/0', 't/1', 't/2', 'u/0', 'u/1'] }),
    {
      t: 3,
      u: 3,
    },
  )
  assert.deepEqual(
    Object.values(late).map(share => share.length),
    [2, 2, 2],
  )
  const all = Object.values(late).flat().sort()
  assert.deepEqual(all, ['t/0', 't/1', 't/2', 'u/0', 'u/1', 'u/2'])
})
