import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientContext } from '../../../src/cluster/context.ts'
import { rejects, reportError } from '../../../src/consumer/read/reader-errors.ts'
import { ErrorCode, KafkaError } from '../../../src/errors.ts'

function contextOf(hasListener: boolean): { context: ClientContext; emitted: KafkaError[]; logged: string[] } {
  const emitted: KafkaError[] = []
  const logged: string[] = []
  const emit = ({ error }: { error: KafkaError }): boolean => {
    emitted.push(error)
    return hasListener
  }
  const log = (_: string, text: string): number => logged.push(text)
  const logger = { error: log, warning: log, critical: log }
  return { context: { events: { emit }, logger } as unknown as ClientContext, emitted, logged }
}

test('readers reject with what the client cannot recover from, and with every fatal error', () => {
  assert.equal(rejects(KafkaError.of(ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED, 'g')), true)
  assert.equal(rejects(KafkaError.of(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, 't')), true)
  assert.equal(rejects(KafkaError.of(ErrorCode.ERR__TRANSPORT, 'b')), false)
  assert.equal(rejects(KafkaError.of(ErrorCode.ERR__TRANSPORT, 'b', null, { fatal: true })), true)
})

test('an error of one topic ends no reading while there is another topic to read', () => {
  const { context, emitted } = contextOf(true)
  const missing = KafkaError.of(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, 't')
  reportError(context, missing, { readsBeside: () => true }, 't')
  assert.deepEqual([emitted, rejects(missing)], [[missing], false])
  const last = KafkaError.of(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, 't')
  reportError(context, last, { readsBeside: () => false }, 't')
  assert.equal(rejects(last), true)
})

test('an error that nobody gets is logged, unless readers reject with it', () => {
  const { context, logged } = contextOf(false)
  reportError(context, KafkaError.of(ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED, 'g'))
  assert.deepEqual(logged, [])
  reportError(context, KafkaError.of(ErrorCode.ERR_INVALID_REQUEST, 'g'))
  assert.equal(logged.length, 1)
})
