import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { mutants } from '../simulation/mutants/all.ts'
import { findersOf } from '../simulation/mutants/hunt.ts'
import { mutated } from '../simulation/mutants/patch.ts'
import { findersIn, rowOf, tableOf } from '../simulation/mutants/table.ts'
import { workloads } from '../simulation/workloads/all.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

test('every mutant fits the sources, changes them, and names workloads that exist', () => {
  const ids = mutants.map(({ id }) => id)
  assert.equal(new Set(ids).size, ids.length, 'two mutants have one id')
  for (const mutant of mutants) {
    assert.ok(mutated(root, mutant).includes(mutant.replace), mutant.id)
    assert.notEqual(mutant.find, mutant.replace, mutant.id)
    for (const workload of mutant.workloads) assert.ok(workload in workloads, `${mutant.id}: ${workload}`)
  }
})

test('a mutant whose text is gone, or is there twice, has gone stale', () => {
  const [first] = mutants
  assert.ok(first !== undefined)
  assert.throws(() => mutated(root, { ...first, find: 'no such text' }), /stale: its text occurs 0 times/)
  assert.throws(() => mutated(root, { ...first, find: 'this' }), /stale/)
})

test('the table keeps the rows of mutants that were not played', () => {
  const [first, second, third] = mutants
  assert.ok(first !== undefined && second !== undefined && third !== undefined)
  const kill = { workload: 'writes', seed: 7, tempo: 'sparse', complaint: 'a | b' } as const
  const row = rowOf({ mutant: first, kill, played: 7, stale: null })
  assert.match(row, /writes, seed 7, sparse: a \\\| b \|$/)
  const before = tableOf(
    [first, second],
    new Map([
      [first.id, row],
      [second.id, rowOf({ mutant: second, kill: null, played: 9, stale: null })],
    ]),
    '',
  )
  const after = tableOf(
    [first, second, third],
    new Map([[first.id, rowOf({ mutant: first, kill: null, played: 3, stale: null })]]),
    before,
  )
  assert.match(after, new RegExp(`\\| ${first.id} \\|.*SURVIVES 3 seeds`))
  assert.match(after, new RegExp(`\\| ${second.id} \\|.*SURVIVES 9 seeds`))
  assert.ok(!after.includes(third.id))
  assert.deepEqual(findersIn(before), new Map([[first.id, { workload: 'writes', seed: 7, tempo: 'sparse' }]]))
})

test('each workload of a mutant has both tempos and both kinds of replication; what has found it comes first', () => {
  const limits = { seeds: 16, minutes: 1, tempo: null }
  const finders = findersOf({ workloads: ['groups', 'share'] }, limits, null)
  const kinds = finders.map(({ workload, seed, tempo }) => `${workload} ${tempo} ${seed % 2}`)
  assert.equal(new Set(kinds).size, 8)
  const last = { workload: 'share', seed: 99, tempo: 'dense' } as const
  assert.deepEqual(findersOf({ workloads: ['groups', 'share'] }, limits, last).slice(0, 2), [last, finders[0]])
  assert.equal(findersOf({ workloads: ['share'] }, limits, last).length, 16)
})
