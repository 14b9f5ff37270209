import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assignRoundRobin } from '../../../../src/consumer/group/assignors/roundrobin.ts'
import { counts, member, shown } from './members.ts'

test('roundrobin goes around all members over all topics', () => {
  // The example in the documentation of Java's RoundRobinAssignor.
  const members = [member('C0', ['t0', 't1']), member('C1', ['t0', 't1'])]
  assert.deepEqual(shown(assignRoundRobin(members, counts({ t0: 3, t1: 3 }))), {
    C0: 't0-0 t0-2 t1-1',
    C1: 't0-1 t1-0 t1-2',
  })
})

test('roundrobin passes over members that did not subscribe to a topic', () => {
  // The second example there: the outcome is uneven, as it is with Java.
  const members = [member('C0', ['t0']), member('C1', ['t0', 't1']), member('C2', ['t0', 't1', 't2'])]
  assert.deepEqual(shown(assignRoundRobin(members, counts({ t0: 1, t1: 2, t2: 3 }))), {
    C0: 't0-0',
    C1: 't1-0',
    C2: 't1-1 t2-0 t2-1 t2-2',
  })
})
