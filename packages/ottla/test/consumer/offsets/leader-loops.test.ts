import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientContext } from '../../../src/cluster/context.ts'
import type { MetadataCache } from '../../../src/cluster/metadata.ts'
import { LeaderLoops } from '../../../src/consumer/offsets/leader-loops.ts'
import { Cursor } from '../../../src/consumer/partition/cursor.ts'
import { FakeClock } from '../../base/fake-clock.ts'

const BACKOFF_MS = 100

/** Partition `i` of the topic is led by `leaders[i]`. */
function scene(leaders: number[], ask: (leader: number, names: string[]) => Promise<boolean>) {
  const clock = new FakeClock()
  const topics = new Map([['t', { partitions: leaders.map(leader => ({ leader })) }]])
  const settings = { 'retry.backoff.ms': BACKOFF_MS, 'retry.backoff.max.ms': BACKOFF_MS }
  const context = { clock, settings, random: () => 0.5 } as unknown as ClientContext
  const cursors = leaders.map((_, partition) => new Cursor('t', partition))
  const loops = new LeaderLoops(context, { snapshot: { topics } } as unknown as MetadataCache, {
    cursors: () => cursors,
    ask: (leader, asked) =>
      ask(
        leader,
        asked.map(({ name }) => name),
      ),
  })
  return { clock, cursors, topics, loops }
}

test('each leader is asked about its own partitions, and a silent one holds up no other', async () => {
  const asked: string[] = []
  const { clock, loops } = scene([1, 2, 1, -1], (leader, names) => {
    asked.push(`${leader}: ${names.join()}`)
    return leader === 1 ? new Promise(() => undefined) : Promise.resolve(false)
  })
  loops.kick()
  await clock.advance(0)
  assert.deepEqual(asked.toSorted(), ['-1: t [3]', '1: t [0],t [2]', '2: t [1]'])
  loops.kick()
  await clock.advance(0)
  assert.deepEqual(asked.slice(3).toSorted(), ['-1: t [3]', '2: t [1]'])
})

test('what is left is asked again after a backoff, which a kick does not cut short', async () => {
  let left = 2
  let asked = 0
  const { clock, loops } = scene([1], () => {
    asked++
    return Promise.resolve(left-- > 0)
  })
  loops.kick()
  await clock.advance(0)
  loops.kick()
  await clock.advance(0)
  assert.equal(asked, 1)
  await clock.advance(BACKOFF_MS * 1.5)
  assert.equal(asked, 2)
  await clock.advance(BACKOFF_MS * 10)
  assert.deepEqual([asked, clock.pendingTimers], [3, 0])
})

test('after close nothing is asked any more', async () => {
  let asked = 0
  const { clock, loops } = scene([1], () => {
    asked++
    return Promise.resolve(true)
  })
  loops.kick()
  await clock.advance(0)
  await loops.close()
  loops.kick()
  await clock.advance(BACKOFF_MS * 10)
  assert.deepEqual([asked, clock.pendingTimers], [1, 0])
})
