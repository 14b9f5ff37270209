import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deferred } from '../../src/base/deferred.ts'
import { WorkLoop } from '../../src/base/work-loop.ts'
import { settle } from './fake-clock.ts'

test('a work loop never overlaps itself and runs again for a kick during the work', async () => {
  const gate = [new Deferred<void>(), new Deferred<void>()]
  let runs = 0
  let active = 0
  const loop = new WorkLoop(async () => {
    assert.equal(++active, 1)
    await gate[runs++]?.promise
    active--
  })
  loop.kick()
  loop.kick()
  await settle()
  assert.equal(runs, 1)
  loop.kick()
  gate[0]?.resolve()
  await settle()
  assert.equal(runs, 2)
  gate[1]?.resolve()
  await loop.stop()
  loop.kick()
  await settle()
  assert.equal(runs, 2)
})
