import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deadline } from '../../src/base/clock.ts'
import type { ClientContext } from '../../src/cluster/context.ts'
import type { MetadataCache } from '../../src/cluster/metadata.ts'
import type { FetchQueue } from '../../src/consumer/fetch/fetch-queue.ts'
import type { Committer } from '../../src/consumer/offsets/committer.ts'
import { Ownership } from '../../src/consumer/ownership.ts'
import { Assignment } from '../../src/consumer/partition/assignment.ts'
import type { Cursor } from '../../src/consumer/partition/cursor.ts'
import { ErrorCode } from '../../src/errors.ts'
import { FakeClock } from '../base/fake-clock.ts'

const nothing = (): void => undefined
const at = (partition: number, offset = 0) => ({ topic: 't', partition, offset })

function scene({ autoCommit = true, closesAt = null as Deadline | null } = {}) {
  const clock = new FakeClock()
  const seen: string[] = []
  const gate: { commit: Promise<void> } = { commit: Promise.resolve() }
  const settings = { 'enable.auto.commit': autoCommit, 'session.timeout.ms': 45_000, 'max.poll.interval.ms': 300_000 }
  const metadata = { want: nothing, unwant: nothing } as unknown as MetadataCache
  const queue = { forget: nothing, passGaps: nothing, putBack: () => seen.push('put back') } as unknown as FetchQueue
  const assignment = new Assignment(metadata, queue, true)
  const names = (cursors: readonly Cursor[]): string => cursors.map(({ partition }) => partition).join()
  const committer = {
    commitStored: (cursors: readonly Cursor[], deadline: Deadline) => {
      seen.push(`commit ${names(cursors)} within ${deadline.left()}`)
      return gate.commit
    },
    ended: (cursors: readonly Cursor[]) => {
      seen.push(`wait for commits of ${names(cursors)}`)
      return gate.commit
    },
  } as unknown as Committer
  const context = { clock, settings } as unknown as ClientContext
  const ownership = new Ownership(context, assignment, queue, committer, nothing, nothing, () => closesAt)
  ownership.hooks = {
    beforeRelease: (cursors, lost) => {
      seen.push(`${lost ? 'drop' : 'drain'} ${names(cursors)}`)
      return Promise.resolve()
    },
    firstOpen: () => null,
    openSince: () => null,
    onResumed: nothing,
    beforeEviction: () => Promise.resolve(),
  }
  return { clock, assignment, ownership, seen, gate, assigned: () => names(assignment.cursors) }
}

test('what is given up is drained, then committed, then another member may have it', async () => {
  const { ownership, seen, assigned } = scene()
  await ownership.replace([at(0), at(1)], false)
  const [first] = ownership.cursors
  await ownership.releasePartitions([at(0), at(7)], false)
  assert.deepEqual(seen, ['drain 0', 'commit 0 within 45000'])
  assert.deepEqual([assigned(), first?.dropped, first?.offsets.isReleased], ['1', true, true])
})

test('of lost partitions nothing is committed', async () => {
  const { ownership, seen } = scene()
  await ownership.replace([at(0)], false)
  await ownership.replace([at(1)], true)
  assert.deepEqual(seen, ['drop 0'])
})

test('without enable.auto.commit the commits in flight are awaited', async () => {
  const { ownership, seen } = scene({ autoCommit: false })
  await ownership.replace([at(0)], false)
  await ownership.releasePartitions([at(0)], false)
  assert.deepEqual(seen, ['drain 0', 'wait for commits of 0'])
})

test('while the consumer is being closed a commit gets a part of the time that is left', async () => {
  const { ownership, seen } = scene({ closesAt: Deadline.after(new FakeClock(), 4000) })
  await ownership.replace([at(0)], false)
  await ownership.releasePartitions([at(0)], false)
  assert.deepEqual(seen.at(-1), 'commit 0 within 3000')
})

test('changes come one after the other, each begins with what the one before has left', async () => {
  const { ownership, gate, assigned, clock } = scene()
  await ownership.replace([at(0)], false)
  let commit: () => void = nothing
  gate.commit = new Promise(resolve => (commit = resolve))
  const replaced = ownership.replace([at(1)], false)
  const added = ownership.addMissing([at(0), at(1)])
  await clock.advance(0)
  assert.equal(assigned(), '', 'the commit is not over')
  commit()
  await Promise.all([replaced, added])
  assert.equal(assigned(), '1,0')
})

test('a change that is refused does not hold up the next one', async () => {
  const { ownership, assigned } = scene()
  await ownership.addNew([at(0)], nothing)
  const refused = ownership.addNew([at(1), at(0)], () => assert.fail('it is not valid'))
  const next = ownership.addNew([at(2)], nothing)
  await assert.rejects(refused, {
    code: ErrorCode.ERR__INVALID_ARG,
    message: 'incrementalAssign: t [0] is already assigned',
  })
  await assert.rejects(ownership.releaseNamed([at(5)], false, nothing), { code: ErrorCode.ERR__INVALID_ARG })
  await next
  assert.equal(assigned(), '0,2')
})

test('after the end nothing is assigned any more', async () => {
  const { ownership, assigned } = scene()
  await ownership.replace([at(0)], false)
  ownership.end()
  await ownership.replace([at(1)], false)
  assert.equal(assigned(), '')
})

test('reading again from an earlier offset needs no fetch, unless that is still ahead or the position has moved', async () => {
  const { ownership, seen } = scene()
  await ownership.replace([at(0, 10)], false)
  const [cursor] = ownership.cursors
  assert.ok(cursor)
  const { era } = cursor.offsets
  ownership.rewindTo(cursor, 10, era, [])
  ownership.rewindTo(cursor, 4, era + 1, [])
  assert.deepEqual(seen, [])
  ownership.rewindTo(cursor, 4, era, [])
  assert.deepEqual([seen, cursor.offsets.era], [['put back'], era + 1])
})
