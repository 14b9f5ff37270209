import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { foreignProtocol, lostUnanswered, withAddressHint } from '../../src/network/hints.ts'
import { isWrongProtocol, RequestError } from '../../src/network/request-error.ts'

const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })

test('TLS alerts and HTTP are recognised by their first bytes, the size of a frame is neither', () => {
  assert.match(foreignProtocol(Buffer.from([0x15, 3, 1, 0]).readInt32BE(0)) ?? '', /TLS/)
  assert.match(foreignProtocol(Buffer.from('HTTP/1.1').readInt32BE(0)) ?? '', /HTTP/)
  assert.equal(foreignProtocol(Buffer.from([0, 0, 0, 0x15]).readInt32BE(0)), null)
})

test('only a lost connection is taken for the wrong protocol, and keeps what is known of the request', () => {
  const lost = new RequestError(ErrorCode.ERR__TRANSPORT, 'connection closed', true, refused)
  const hinted = lostUnanswered(lost, '(a hint)')
  assert.deepEqual([hinted.message, hinted.sent, hinted.cause], ['connection closed (a hint)', true, refused])
  assert.equal(isWrongProtocol(hinted), true)
  const late = new RequestError(ErrorCode.ERR__TIMED_OUT, 'no response', true)
  assert.equal(lostUnanswered(late, '(a hint)'), late)
})

test('the hint of an address is for names without address and addresses that nobody listens at', () => {
  const texts = (code: number, cause?: Error): string =>
    withAddressHint(new RequestError(code, 'failed', false, cause), 'a hint').message
  assert.equal(texts(ErrorCode.ERR__TRANSPORT, refused), 'failed: nobody listens there; a hint')
  assert.equal(texts(ErrorCode.ERR__RESOLVE), 'failed; a hint')
  assert.equal(texts(ErrorCode.ERR__TRANSPORT), 'failed')
})
