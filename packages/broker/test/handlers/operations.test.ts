import { test } from 'node:test'
import assert from 'node:assert/strict'
import {
  authorizedOperations,
  codeFor,
  operations,
  patternTypes,
  permissionTypes,
  resourceTypes,
  wordFor,
} from '../../src/handlers/operations.ts'
import type { RequestContext } from '../../src/handlers/request.ts'

test('every word has a code of its own', () => {
  for (const table of [operations, patternTypes, permissionTypes, resourceTypes]) {
    assert.equal(new Set(table.map(([, code]) => code)).size, table.length)
    assert.equal(new Set(table.map(([word]) => word)).size, table.length)
  }
})

test('neither "unknown" nor "any" is a word', () => {
  assert.deepEqual([wordFor(operations, 0), wordFor(operations, 1), wordFor(operations, 99)], [null, null, null])
  assert.equal(wordFor(operations, codeFor(operations, 'alter-configs')), 'alter-configs')
})

test('authorized operations are bits of the operations that a resource type has', () => {
  const context = { allows: (operation: string) => operation !== 'delete' } as unknown as RequestContext // all that is used
  assert.equal(authorizedOperations(context, 'group', 'g'), (1 << 3) | (1 << 8))
  assert.equal(authorizedOperations(context, 'user', 'u'), 0)
})
