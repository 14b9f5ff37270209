import { test } from 'node:test'
import assert from 'node:assert/strict'
import { seededRandom } from '../../src/base/random.ts'
import { UserStore } from '../../src/security/users.ts'

const BOTH = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']

test('a user has credentials for the mechanisms of the cluster only', () => {
  const users = new UserStore(['SCRAM-SHA-512'], seededRandom(1))
  users.set('alice', { password: 'secret', iterations: 1, salt: Buffer.from('salt') })
  assert.deepEqual(users.scram('alice', 'SCRAM-SHA-512')?.salt, Buffer.from('salt'))
  assert.equal(users.scram('alice', 'SCRAM-SHA-256'), undefined)
  assert.equal(users.hasPassword('alice', 'secret'), true)
  assert.equal(users.hasPassword('alice', 'secre'), false)
  assert.equal(users.hasPassword('alice', 'Secret'), false)
  assert.equal(users.hasPassword('bob', ''), false)
})

test('iterations have to be a positive whole number', () => {
  const users = new UserStore(BOTH, seededRandom(1))
  for (const iterations of [0, -1, 1.5, NaN]) {
    assert.throws(() => users.set('alice', { password: 'x', iterations }), /user alice: iterations is/)
  }
})

test('a user is deleted with password and credentials, or credential by credential', () => {
  const users = new UserStore(BOTH, seededRandom(1))
  users.set('alice', { password: 'x', iterations: 1 })
  users.deleteScram('alice', 'SCRAM-SHA-256')
  assert.deepEqual([...users.scramUsers()], ['alice'])
  users.deleteScram('alice', 'SCRAM-SHA-512')
  users.deleteScram('alice', 'SCRAM-SHA-512')
  assert.deepEqual([...users.scramUsers()], [])
  assert.equal(users.delete('alice'), true, 'the password is still there')
  assert.equal(users.delete('alice'), false)
})
