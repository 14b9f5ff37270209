import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tableLines } from '../../src/terminal/table.ts'

test('columns line up, numbers on the right', () => {
  const rows = [
    { name: 'a', count: 1 },
    { name: 'longer', count: 100 },
  ]
  const lines = tableLines(rows, [
    { title: 'name', cell: r => r.name },
    { title: 'count', cell: r => r.count, right: true },
  ])
  assert.deepEqual(lines, ['name    count', 'a           1', 'longer    100'])
})

test('a table without rows is its titles', () => {
  assert.deepEqual(tableLines([], [{ title: 'name', cell: () => '' }]), ['name'])
})
