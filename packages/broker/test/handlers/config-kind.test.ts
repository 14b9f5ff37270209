import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode } from '@ottla/protocol'
import { APPEND, DELETE, SET, SUBTRACT, changedList, changesProblem } from '../../src/handlers/config-kind.ts'

test('a word is appended once, and every occurrence is subtracted', () => {
  assert.equal(changedList('a,b', APPEND, 'b,c'), 'a,b,c')
  assert.equal(changedList('', APPEND, 'a'), 'a')
  assert.equal(changedList('a,b,a', SUBTRACT, 'a,x'), 'b')
  assert.equal(changedList('a', SUBTRACT, 'a'), '')
})

test('a setting may change only once in a request, and needs a value unless it is deleted', () => {
  const change = (
    name: string,
    configOperation: number,
    value: string | null,
  ): { name: string; configOperation: number; value: string | null } => ({ name, configOperation, value })
  assert.equal(changesProblem([change('a', SET, '1'), change('b', DELETE, null)]), null)
  const twice = changesProblem([change('a', SET, '1'), change('a', DELETE, null)])
  assert.equal(twice?.errorCode, ErrorCode.ERR_INVALID_REQUEST)
  assert.match(changesProblem([change('a', APPEND, null)])?.message ?? '', /Null value not supported for : a/)
})
