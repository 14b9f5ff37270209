import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode } from '@ottla/protocol'
import { seededRandom } from '../../src/base/random.ts'
import { TokenRefusal, TokenStore, isOwnerOrRenewer } from '../../src/security/tokens.ts'
import { FakeClock } from '../fake-clock.ts'

const DAY_MS = 86_400_000
const WEEK_MS = 7 * DAY_MS

function scene(): { clock: FakeClock; tokens: TokenStore } {
  const clock = new FakeClock()
  return { clock, tokens: new TokenStore(clock, seededRandom(1)) }
}

function refuses(code: number, action: () => unknown): void {
  assert.throws(action, error => error instanceof TokenRefusal && error.errorCode === code)
}

test('a token lasts a day, and a week at most however often it is renewed', () => {
  const { clock, tokens } = scene()
  const start = clock.now()
  const token = tokens.create('User:a', 'User:a', [], -1)
  assert.deepEqual([token.expiresAt - start, token.endsAt - start], [DAY_MS, WEEK_MS])
  assert.equal(tokens.renew(token.hmac, 'User:a', WEEK_MS) - start, DAY_MS)
  for (let half = 0; half < 13; half++) {
    clock.advance(DAY_MS / 2)
    tokens.renew(token.hmac, 'User:a', -1)
  }
  assert.equal(token.expiresAt, token.endsAt)
  assert.equal(tokens.create('User:a', 'User:a', [], WEEK_MS * 2).endsAt - clock.now(), WEEK_MS)
  assert.equal(tokens.create('User:a', 'User:a', [], 5).expiresAt - clock.now(), 5)
})

test('an expired token cannot log in or be renewed, and is forgotten', () => {
  const { clock, tokens } = scene()
  const token = tokens.create('User:a', 'User:a', [], 1000)
  clock.advance(999)
  assert.equal(tokens.valid(token.id), token)
  clock.advance(2)
  assert.equal(tokens.valid(token.id), undefined)
  refuses(ErrorCode.ERR_DELEGATION_TOKEN_EXPIRED, () => tokens.renew(token.hmac, 'User:a', -1))
  tokens.clean()
  refuses(ErrorCode.ERR_DELEGATION_TOKEN_NOT_FOUND, () => tokens.renew(token.hmac, 'User:a', -1))
})

test('owner and renewers may change a token, its requester may only see it', () => {
  const { tokens } = scene()
  const token = tokens.create('User:owner', 'User:requester', ['User:renewer'], -1)
  tokens.renew(token.hmac, 'User:renewer', -1)
  refuses(ErrorCode.ERR_DELEGATION_TOKEN_OWNER_MISMATCH, () => tokens.renew(token.hmac, 'User:requester', -1))
  assert.deepEqual(
    ['User:owner', 'User:requester', 'User:renewer', 'User:x'].map(name => isOwnerOrRenewer(token, name)),
    [true, true, true, false],
  )
})

test('a token expires at once with a negative period, else when it says', () => {
  const { clock, tokens } = scene()
  const [first, second] = [tokens.create('User:a', 'User:a', [], -1), tokens.create('User:a', 'User:a', [], -1)]
  assert.equal(tokens.expire(first.hmac, 'User:a', -1), clock.now())
  assert.equal(tokens.expire(second.hmac, 'User:a', 10), clock.now() + 10)
  assert.deepEqual([...tokens.all()], [second])
})
