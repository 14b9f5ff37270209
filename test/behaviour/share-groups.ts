/** Responses to members of share groups. The expected ones are those of Kafka 4.3.1. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { ShareConversation } from './share-conversation.ts'

const ACCEPT = 1
const RELEASE = 2
const REJECT = 3
const RENEW = 4

function same(actual: unknown, expected: unknown): void {
  assert.deepEqual(actual, expected)
}

/** @param start a cluster of one broker */
export function shareScenarios(
  start: () => Promise<{ readonly bootstrapServers: string; close(): Promise<void> }>,
): void {
  let world: Awaited<ReturnType<typeof start>>
  before(async () => {
    world = await start()
  })
  after(() => world.close())

  async function conversation(records: number): Promise<ShareConversation> {
    const c = await ShareConversation.begin(world.bootstrapServers)
    if (records > 0) await c.produce(records)
    return c
  }

  test('heartbeats of share group members', async () => {
    const c = await conversation(0)
    const group = await c.group()
    const codeOf = async (...args: Parameters<ShareConversation['heartbeat']>): Promise<number> =>
      (await c.heartbeat(...args)).errorCode
    same(await codeOf(group, '', 0), ErrorCode.ERR_INVALID_REQUEST)
    same(await codeOf('', 'a', 0), ErrorCode.ERR_INVALID_REQUEST)
    same(await codeOf(group, 'a', 0, []), ErrorCode.ERR_INVALID_REQUEST)
    same(await codeOf(group, 'a', -2), ErrorCode.ERR_INVALID_REQUEST)
    same(await codeOf(group, 'a', 1), ErrorCode.ERR_GROUP_ID_NOT_FOUND)
    same(await c.describe(group), ErrorCode.ERR_GROUP_ID_NOT_FOUND)
    const epoch = await c.join(group, 'a')
    same(await c.heartbeat(group, 'a', epoch), { errorCode: 0, epoch, has: null })
    same(await codeOf(group, 'a', epoch + 1), ErrorCode.ERR_FENCED_MEMBER_EPOCH)
    same(await codeOf(group, 'nobody', epoch), ErrorCode.ERR_UNKNOWN_MEMBER_ID)
    await c.join(group, 'b')
    same(await c.describe(group), 'Stable,simple,a,b')
    same(await c.list(group), 'share,Stable,share')
    same(await c.heartbeat(group, 'a', -1), { errorCode: 0, epoch: -1, has: null })
    same(await c.heartbeat(group, 'b', -1), { errorCode: 0, epoch: -1, has: null })
    same(await c.list(group), 'share,Empty,share')
    c.end()
  })

  test('a connection that ends releases what it has acquired', async () => {
    const c = await conversation(1)
    const group = await c.group()
    await c.configure(group, 'share.record.lock.duration.ms', '60000')
    await c.join(group, 'a')
    await c.join(group, 'b')
    const other = await c.another()
    const [, given] = (await other.take(group, 'b', 0)) as [number, unknown]
    same(given, ['0-0 x1'])
    other.end()
    const [, again] = (await c.take(group, 'a', 0)) as [number, unknown]
    same(again, ['0-0 x2'])
    c.end()
  })

  test('records are acquired, acknowledged, released and acquired again', async () => {
    const c = await conversation(10)
    const group = await c.group()
    await c.join(group, 'a')
    await c.join(group, 'b')
    let taken = (await c.take(group, 'a', 0)) as [number, unknown]
    same(taken[1], ['0-9 x1'])
    let a = taken[0]
    same(await c.fetch(group, 'b', 0), [])
    same(await c.acknowledge(group, 'a', a++, [0, 1, ACCEPT]), 0)
    same(await c.acknowledge(group, 'a', a++, [2, 4, RELEASE]), 0)
    same(await c.fetch(group, 'b', 1), ['2-4 x2'])
    same(await c.acknowledge(group, 'a', a++, [2, 2, ACCEPT]), ErrorCode.ERR_INVALID_RECORD_STATE)
    same(await c.acknowledge(group, 'b', 2, [5, 5, ACCEPT]), ErrorCode.ERR_INVALID_RECORD_STATE)
    same(await c.acknowledge(group, 'b', 3, [2, 4, ACCEPT, REJECT, ACCEPT]), 0)
    same(await c.acknowledge(group, 'a', a++, [5, 20, ACCEPT]), ErrorCode.ERR_INVALID_REQUEST)
    same(await c.acknowledge(group, 'a', a++, [9, 5, ACCEPT]), ErrorCode.ERR_INVALID_REQUEST)
    same(await c.acknowledge(group, 'a', a++, [5, 9, 7]), ErrorCode.ERR_INVALID_REQUEST)
    same(await c.acknowledge(group, 'a', a++, [5, 9, ACCEPT, ACCEPT]), ErrorCode.ERR_INVALID_REQUEST)
    same(await c.acknowledge(group, 'a', a++, [5, 9, RENEW]), 0)
    same(await c.fetch(group, 'a', a++, { acks: [[5, 8, ACCEPT]] }), [])
    // A broker reports the start offset of before the last change.
    same(await c.offset(group), '0,5,1')
    await c.produce(5)
    taken = (await c.take(group, 'b', 4)) as [number, unknown]
    same(taken[1], ['10-14 x1'])
    same(await c.fetch(group, 'a', -1), [])
    taken = (await c.take(group, 'b', taken[0])) as [number, unknown]
    same(taken[1], ['9-9 x2'])
    same(await c.fetch(group, 'b', taken[0], { acks: [[9, 14, ACCEPT]], maxRecords: 0 }), [])
    same(await c.offset(group), '0,9,0')
    c.end()
  })

  test('share sessions', async () => {
    const c = await conversation(3)
    const group = await c.group()
    await c.join(group, 'a')
    same(await c.fetch(group, 'a', 1), `error ${ErrorCode.ERR_SHARE_SESSION_NOT_FOUND}`)
    same(await c.fetch(group, 'a', -1), `error ${ErrorCode.ERR_SHARE_SESSION_NOT_FOUND}`)
    same(await c.acknowledge(group, 'a', 1, [0, 0, ACCEPT]), ErrorCode.ERR_SHARE_SESSION_NOT_FOUND)
    same(await c.acknowledge(group, 'a', 0), ErrorCode.ERR_INVALID_SHARE_SESSION_EPOCH)
    same(await c.fetch(group, 'a', 0, { acks: [[0, 0, ACCEPT]] }), `error ${ErrorCode.ERR_INVALID_REQUEST}`)
    same(await c.fetch(group, '', 0), `error ${ErrorCode.ERR_INVALID_REQUEST}`)
    same(await c.fetch(group, 'x'.repeat(37), 0), `error ${ErrorCode.ERR_INVALID_REQUEST}`)
    const [epoch, given] = (await c.take(group, 'a', 0)) as [number, unknown]
    same(given, ['0-2 x1'])
    same(await c.fetch(group, 'a', epoch + 1), `error ${ErrorCode.ERR_INVALID_SHARE_SESSION_EPOCH}`)
    same(await c.acknowledge(group, 'a', epoch + 1), ErrorCode.ERR_INVALID_SHARE_SESSION_EPOCH)
    same(await c.fetch(group, 'a', epoch, { acks: [[0, 2, RENEW]] }), [ErrorCode.ERR_INVALID_REQUEST])
    same(await c.fetch(group, 'a', epoch + 1, { acks: [[0, 2, RENEW]], renews: true }), [])
    same(await c.fetch(group, 'a', epoch + 2, { partition: 7 }), [ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART])
    same(await c.acknowledge(group, 'a', -1, [0, 2, ACCEPT]), 0)
    same(await c.acknowledge(group, 'a', -1), ErrorCode.ERR_SHARE_SESSION_NOT_FOUND)
    same(await c.offset(group), '0,0,0')
    c.end()
  })

  test('record limits', async () => {
    const c = await conversation(10)
    await c.produce(10)
    const group = await c.group()
    await c.join(group, 'a')
    const whole = (await c.take(group, 'a', 0, { maxRecords: 3 })) as [number, unknown]
    same(whole[1], ['0-9 x1'])
    const strict = (await c.take(group, 'a', whole[0], { maxRecords: 3, mode: 1 })) as [number, unknown]
    same(strict[1], ['10-12 x1'])
    const rest = (await c.take(group, 'a', strict[0], { maxRecords: 3, mode: 1 })) as [number, unknown]
    same(rest[1], ['13-15 x1'])
    c.end()
  })

  test('where a share group begins', async () => {
    const c = await conversation(10)
    const group = await c.group()
    same(await c.forget(group), [ErrorCode.ERR_GROUP_ID_NOT_FOUND])
    same(await c.alter(group, 4), [0, 0])
    same(await c.alter(group, 4, 9), [0, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART])
    same(await c.list(group), 'share,Empty,share')
    same(await c.offset(group), '0,4,6')
    await c.join(group, 'a')
    same(await c.alter(group, 5), [ErrorCode.ERR_NON_EMPTY_GROUP])
    same(await c.forget(group), [ErrorCode.ERR_NON_EMPTY_GROUP])
    const [epoch, given] = (await c.take(group, 'a', 0)) as [number, unknown]
    same(given, ['4-9 x1'])
    same(await c.acknowledge(group, 'a', epoch, [4, 6, ACCEPT]), 0)
    same(await c.offset(group), '0,4,3')
    same(await c.fetch(group, 'a', -1), [])
    same(await c.heartbeat(group, 'a', -1), { errorCode: 0, epoch: -1, has: null })
    same(await c.forget(group), [0, 0])
    same(await c.forget(group, 'no-such-topic'), [0, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART])
    same(await c.offset(group), '0,-1,-1')
    c.end()
  })
}
