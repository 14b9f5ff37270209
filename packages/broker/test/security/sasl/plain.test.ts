import { test } from 'node:test'
import assert from 'node:assert/strict'
import { seededRandom } from '../../../src/base/random.ts'
import { PlainExchange } from '../../../src/security/sasl/plain.ts'
import { UserStore } from '../../../src/security/users.ts'

const users = new UserStore(['PLAIN'], seededRandom(1))
users.set('alice', 'secret')

function say(...parts: string[]): string | undefined {
  return new PlainExchange(users).step(Buffer.from(parts.join('\0'))).identity?.name
}

test('a user logs in with the right password, as nobody else', () => {
  assert.equal(say('', 'alice', 'secret'), 'alice')
  assert.equal(say('alice', 'alice', 'secret'), 'alice')
  assert.throws(() => say('bob', 'alice', 'secret'), /authorization id that is different/)
})

test('unknown users and wrong passwords are refused alike', () => {
  for (const [name, password] of [
    ['alice', 'Secret'],
    ['bob', 'secret'],
  ] as const) {
    assert.throws(() => say('', name, password), /Invalid username or password/)
  }
})

test('a response needs three parts, with name and password', () => {
  assert.throws(() => say('alice', 'secret'), /expected 3 tokens, got 2/)
  assert.throws(() => say('', 'alice', 'secret', ''), /got 4/)
  assert.throws(() => say('', '', 'secret'), /username not specified/)
  assert.throws(() => say('', 'alice', ''), /password not specified/)
})
