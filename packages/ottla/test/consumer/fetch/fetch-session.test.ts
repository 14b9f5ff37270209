import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ZERO_UUID } from '@ottla/protocol'
import { FetchSession, type SessionRequest, type WantedPartition } from '../../../src/consumer/fetch/fetch-session.ts'

const owner = {}

function wanted(topic: string, partition: number, fetchOffset: number, topicId = ZERO_UUID): WantedPartition {
  const key = `${topic}-${partition}`
  return { owner, key, topic, topicId, partition, fetchOffset, currentLeaderEpoch: 1, partitionMaxBytes: 100 }
}

/** `topic-partition@offset` of what is told, `topic-partition` of what is forgotten. */
function shown(request: SessionRequest): { told: string[]; forgotten: string[]; session: string } {
  return {
    told: request.topics.flatMap(t => t.partitions.map(p => `${t.topic}-${p.partition}@${p.fetchOffset}`)),
    forgotten: request.forgotten.flatMap(t => t.partitions.map(p => `${t.topic}-${p}`)),
    session: `${request.sessionId}/${request.sessionEpoch}`,
  }
}

test('the first request names everything and asks for a session', () => {
  const session = new FetchSession()
  assert.deepEqual(shown(session.request([wanted('a', 0, 0), wanted('a', 1, 5)])), {
    told: ['a-0@0', 'a-1@5'],
    forgotten: [],
    session: '0/0',
  })
})

test('later requests name what has changed, what is new, and what is no longer wanted', () => {
  const session = new FetchSession()
  session.request([wanted('a', 0, 0), wanted('a', 1, 5), wanted('b', 0, 9)])
  session.answered(77)
  assert.deepEqual(shown(session.request([wanted('a', 0, 3), wanted('a', 1, 5), wanted('c', 0, 1)])), {
    told: ['a-0@3', 'c-0@1'],
    forgotten: ['b-0'],
    session: '77/1',
  })
  session.answered(77)
  assert.deepEqual(shown(session.request([wanted('a', 0, 3), wanted('a', 1, 5), wanted('c', 0, 1)])), {
    told: [],
    forgotten: [],
    session: '77/2',
  })
})

test('a partition that is wanted again is named again', () => {
  const session = new FetchSession()
  session.request([wanted('a', 0, 0), wanted('a', 1, 0)])
  session.answered(1)
  session.request([wanted('a', 1, 0)])
  session.answered(1)
  assert.deepEqual(shown(session.request([wanted('a', 0, 0), wanted('a', 1, 0)])).told, ['a-0@0'])
})

test('no partition is both named and forgotten in one request, which would leave it forgotten', () => {
  const session = new FetchSession()
  session.request([wanted('a', 0, 4), wanted('a', 1, 4)])
  session.answered(1)
  // Assigned anew, from another offset: another cursor, the same partition.
  const { told, forgotten } = shown(session.request([wanted('a', 0, 2)]))
  assert.deepEqual(told, ['a-0@2'])
  assert.deepEqual(forgotten, ['a-1'])
})

test('a broker that keeps no session gets everything each time', () => {
  const session = new FetchSession()
  session.request([wanted('a', 0, 0)])
  session.answered(0)
  assert.deepEqual(shown(session.request([wanted('a', 0, 0)])), { told: ['a-0@0'], forgotten: [], session: '0/0' })
})

test('after a reset a new session begins', () => {
  const session = new FetchSession()
  session.request([wanted('a', 0, 0), wanted('b', 0, 0)])
  session.answered(5)
  session.reset()
  // By its id, the broker knows which one to forget.
  assert.deepEqual(shown(session.request([wanted('b', 0, 0)])), { told: ['b-0@0'], forgotten: [], session: '5/0' })
})

test('a cursor that replaces another needs a new session, which returns everything', () => {
  const session = new FetchSession()
  session.request([wanted('a', 0, 3), wanted('b', 0, 0)])
  session.answered(5)
  const next = [{ ...wanted('a', 0, 3), owner: {} }, wanted('b', 0, 0)]
  assert.deepEqual(shown(session.request(next)), { told: ['a-0@3', 'b-0@0'], forgotten: [], session: '5/0' })
  session.answered(6)
  assert.deepEqual(shown(session.request(next)), { told: [], forgotten: [], session: '6/1' })
})

test('a recreated topic is another one', () => {
  const session = new FetchSession()
  session.request([wanted('a', 0, 8, 'oldId')])
  session.answered(5)
  const request = session.request([wanted('a', 0, 0, 'newId')])
  assert.deepEqual(
    request.forgotten.map(t => t.topicId),
    ['oldId'],
  )
  assert.deepEqual(
    request.topics.map(t => t.topicId),
    ['newId'],
  )
})

test('what the broker remembers is what is wanted, whatever comes and goes', () => {
  const session = new FetchSession()
  const remembered = new Map<string, number>()
  let seed = 7
  const random = (): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31) / 2 ** 31
  for (let round = 0; round < 300; round++) {
    const now: WantedPartition[] = []
    for (let p = 0; p < 8; p++)
      if (random() < 0.6) now.push(wanted(p % 2 === 0 ? 'x' : 'y', p, Math.floor(random() * 3)))
    const request = session.request(now)
    if (request.sessionEpoch === 0) remembered.clear()
    for (const t of request.forgotten) for (const p of t.partitions) remembered.delete(`${t.topic}-${p}`)
    for (const t of request.topics)
      for (const p of t.partitions) remembered.set(`${t.topic}-${p.partition}`, p.fetchOffset)
    const expected = new Map(now.map(p => [`${p.topic}-${p.partition}`, p.fetchOffset]))
    assert.deepEqual([...remembered].toSorted(), [...expected].toSorted())
    if (random() < 0.1) session.reset()
    else session.answered(random() < 0.1 ? 0 : 9)
  }
})
