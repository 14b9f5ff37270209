import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MetadataCache } from '../../../src/cluster/metadata.ts'
import { Assignment } from '../../../src/consumer/partition/assignment.ts'
import { ErrorCode } from '../../../src/errors.ts'
import { OFFSET_BEGINNING, OFFSET_INVALID } from '../../../src/types.ts'

function scene() {
  const wanted: string[] = []
  const seen: string[] = []
  const metadata = {
    want: (topic: string) => wanted.push(topic),
    unwant: (topic: string) => wanted.splice(wanted.indexOf(topic), 1),
  }
  const queue = {
    forget: ({ name }: { name: string }) => void seen.push(`forget ${name}`),
    passGaps: ({ name }: { name: string }) => void seen.push(`gaps ${name}`),
  }
  return { assignment: new Assignment(metadata as unknown as MetadataCache, queue, true), wanted, seen }
}

const at = (partition: number, offset: number) => ({ topic: 't', partition, offset })

test('the metadata of a topic is kept for as long as a partition of it is assigned', () => {
  const { assignment, wanted } = scene()
  assignment.add([at(0, 5), at(1, OFFSET_BEGINNING)])
  const [first, second] = assignment.cursors
  assert.ok(first && second)
  assert.deepEqual([wanted, first.position, second.state], [['t', 't'], 5, 'offset-query'])
  assignment.remove([first])
  assignment.remove([first])
  assert.deepEqual([wanted, assignment.size, assignment.get('t', 0)], [['t'], 1, undefined])
  assert.deepEqual([first.dropped, first.state], [true, 'stopped'])
})

test('a partition that is given up is forgotten by the queue, its gaps counted before', () => {
  const { assignment, seen } = scene()
  assignment.add([at(0, 5)])
  assignment.remove(assignment.cursors)
  assert.deepEqual(seen, ['gaps t [0]', 'forget t [0]'])
})

test('a partition that is assigned again knows what is committed: another offset is a move', () => {
  const { assignment } = scene()
  assignment.add([at(0, 5)])
  const before = assignment.cursors
  before[0]?.offsets.resumed(5, null)
  assignment.remove(before)
  assignment.add([at(0, 2)], before)
  assert.equal(assignment.get('t', 0)?.offsets.pending()?.offset, 2, 'the commit may go back')
})

test('what is not assigned is an error: of the call, or of the partition', () => {
  const { assignment } = scene()
  assignment.add([at(0, 5)])
  assert.throws(() => assignment.require([at(1, 0)]), { code: ErrorCode.ERR__STATE })
  assert.throws(() => assignment.named([at(1, 0)], 'incrementalUnassign'), {
    code: ErrorCode.ERR__INVALID_ARG,
    message: 'incrementalUnassign: t [1] is not assigned',
  })
  for (const results of [
    assignment.seek([at(0, 7), at(1, 7)]),
    assignment.store([at(0, 7), at(1, 7)]),
    assignment.positions([at(0, 7), at(1, 7)]),
  ]) {
    assert.deepEqual(
      results.map(({ offset, error }) => [offset, error?.code]),
      [
        [7, undefined],
        [results[1]?.offset === OFFSET_INVALID ? OFFSET_INVALID : 7, ErrorCode.ERR__STATE],
      ],
    )
  }
  assert.equal(assignment.get('t', 0)?.position, 7)
})

test('the position is that of a message which deserializers still have, unless that is over', () => {
  const { assignment } = scene()
  assignment.add([at(0, 5)])
  const [cursor] = assignment.cursors
  assert.ok(cursor)
  cursor.undelivered = { offset: 4, isOver: false }
  assert.equal(assignment.positions([at(0, 0)])[0]?.offset, 4)
  cursor.undelivered = { offset: 4, isOver: true }
  assert.equal(assignment.positions([at(0, 0)])[0]?.offset, 5)
})

test('who stores offsets changes for assigned partitions, and for later ones', () => {
  const { assignment } = scene()
  assignment.add([at(0, 5)])
  assignment.storeOffsets(false)
  assignment.add([at(1, 5)])
  assert.deepEqual(
    assignment.cursors.map(({ offsets }) => offsets.isAutomatic),
    [false, false],
  )
})
