import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode, Writer, writeConsumerProtocolSubscription } from '@ottla/protocol'
import {
  checkSessionTimeout,
  chooseProtocol,
  failWaiting,
  newMember,
  sameProtocols,
  subscribes,
  type ClassicMember,
  type MemberProtocol,
} from '../../src/groups/classic-member.ts'

function subscription(...topics: string[]): Buffer {
  const writer = new Writer()
  writer.int16(0)
  writeConsumerProtocolSubscription(writer, { topics, userData: null }, 0)
  return Buffer.concat(writer.finish())
}

function member(id: string, protocols: readonly MemberProtocol[]): ClassicMember {
  return newMember(
    id,
    {
      memberId: id,
      groupInstanceId: null,
      clientId: 'c',
      host: '/127.0.0.1',
      protocolType: 'consumer',
      protocols,
      sessionTimeoutMs: 1000,
      rebalanceTimeoutMs: 1000,
      requiresMemberId: false,
      canSkipAssignment: false,
    },
    null,
  )
}

function preferring(...names: string[]): ClassicMember {
  const metadata = Buffer.alloc(0)
  return member(
    names.join(),
    names.map(name => ({ name, metadata })),
  )
}

test('the protocol is the one that most members prefer among those that all support', () => {
  const members = [preferring('a', 'b', 'c'), preferring('c', 'b'), preferring('d', 'b', 'c')]
  assert.equal(chooseProtocol(members), 'b')
  assert.equal(chooseProtocol([preferring('a', 'b'), preferring('b', 'a')]), 'a', 'the first wins a tie')
  assert.equal(chooseProtocol([preferring('a'), preferring('b')]), null)
  assert.equal(chooseProtocol([]), null)
})

test('protocols are the same with the same names, order and metadata', () => {
  const [a, b] = [
    { name: 'a', metadata: Buffer.from('1') },
    { name: 'b', metadata: Buffer.from('2') },
  ] as const
  assert.ok(sameProtocols([a, b], [{ ...a, metadata: Buffer.from('1') }, b]))
  assert.equal(sameProtocols([a, b], [b, a]), false)
  assert.equal(sameProtocols([a, b], [a]), false)
  assert.equal(sameProtocols([a], [{ ...a, metadata: Buffer.from('2') }]), false)
})

test('a member without a readable subscription may read any topic', () => {
  const reader = member('m', [{ name: 'range', metadata: subscription('t') }])
  const odd = member('n', [{ name: 'range', metadata: Buffer.from('x') }])
  assert.ok(subscribes([reader], 'range', 't'))
  assert.equal(subscribes([reader], 'range', 'u'), false)
  assert.ok(subscribes([reader, odd], 'range', 'u'))
  assert.ok(subscribes([reader], null, 'u'), 'before the group has a protocol')
  assert.equal(subscribes([], 'range', 't'), false)
})

test('session timeouts may be as long as their limits', () => {
  const check = (ms: number): number => checkSessionTimeout(ms, { minMs: 10, maxMs: 20 })
  assert.deepEqual([check(10), check(20)], [0, 0])
  for (const ms of [9, 21]) assert.equal(check(ms), ErrorCode.ERR_INVALID_SESSION_TIMEOUT)
})

test('a member is answered once, however often it is given up', () => {
  const answers: number[] = []
  const waiting = member('m', [])
  waiting.join = ({ errorCode }) => answers.push(errorCode)
  waiting.sync = ({ errorCode }) => answers.push(errorCode)
  failWaiting(waiting, 25)
  failWaiting(waiting, 27)
  assert.deepEqual(answers, [25, 25])
})
