import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfiguredSubtopology } from '../../../src/groups/streams/configured-topology.ts'
import { assignTasks, type StreamsAssignment } from '../../../src/groups/streams/sticky-assignor.ts'
import { noTasks } from '../../../src/groups/streams/tasks.ts'

function subtopology(subtopologyId: string, tasks: number, isStateful = true): ConfiguredSubtopology {
  const nothing = {
    sourceTopicRegex: [],
    repartitionSinkTopics: [],
    repartitionSourceTopics: [],
    copartitionGroups: [],
  }
  const described = { ...nothing, subtopologyId, sourceTopics: ['t'], stateChangelogTopics: [] }
  return { subtopologyId, tasks, isStateful, sources: ['t'], subtopology: described }
}

/** Members are named by their process and a number: `p1`, `p2`, `q1`. */
function assign(
  names: readonly string[],
  subtopologies: readonly ConfiguredSubtopology[],
  standbys = 0,
  before: StreamsAssignment = new Map(),
): StreamsAssignment {
  const members = names.map(id => ({ id, processId: id[0]!, target: before.get(id) ?? noTasks }))
  return assignTasks(members, subtopologies, standbys)
}

function counts(assignment: StreamsAssignment, kind: 'active' | 'standby'): number[] {
  return [...assignment.values()].map(tasks => tasks[kind].size)
}

test('every task goes to one member, and all have as many', () => {
  const assignment = assign(['p1', 'p2', 'q1'], [subtopology('0', 4), subtopology('1', 5)])
  const all = [...assignment.values()].flatMap(({ active }) => [...active])
  assert.deepEqual(counts(assignment, 'active'), [3, 3, 3])
  assert.equal(new Set(all).size, 9)
})

test('tasks stay where they are when a member joins, and when one leaves', () => {
  const topology = [subtopology('0', 6)]
  const two = assign(['p1', 'q1'], topology)
  const three = assign(['p1', 'q1', 'r1'], topology, 0, two)
  assert.deepEqual(counts(three, 'active'), [2, 2, 2])
  for (const id of ['p1', 'q1']) for (const task of three.get(id)!.active) assert.ok(two.get(id)!.active.has(task))
  const again = assign(['p1', 'q1'], topology, 0, three)
  for (const id of ['p1', 'q1']) for (const task of three.get(id)!.active) assert.ok(again.get(id)!.active.has(task))
})

test('a copy of the state is in another process, as far as there is one', () => {
  const topology = [subtopology('0', 4), subtopology('1', 4, false)]
  const assignment = assign(['p1', 'q1', 'q2'], topology, 1)
  const copies = [...assignment].flatMap(([id, { standby }]) => [...standby].map(task => [id, task] as const))
  assert.deepEqual(copies.map(([, task]) => task).sort(), ['0/0', '0/1', '0/2', '0/3'])
  for (const [id, task] of copies) {
    const [owner] = [...assignment].find(([, { active }]) => active.has(task))!
    assert.notEqual(owner[0], id[0], task)
  }
  assert.deepEqual(counts(assign(['p1', 'p2'], topology, 1), 'standby'), [0, 0])
})

test('a task goes to where its state is', () => {
  const topology = [subtopology('0', 4)]
  const before = assign(['p1', 'q1'], topology, 1)
  const { standby } = before.get('q1')!
  const after = assign(['q1', 'r1'], topology, 1, before)
  const kept = [...after.get('q1')!.active]
  assert.equal(kept.length, 2)
  assert.ok(kept.every(task => standby.has(task) || before.get('q1')!.active.has(task)))
})

test('without a task nobody has one', () => {
  assert.deepEqual(counts(assign(['p1', 'q1'], []), 'active'), [0, 0])
})
