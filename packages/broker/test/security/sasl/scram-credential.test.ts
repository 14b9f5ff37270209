import { test } from 'node:test'
import assert from 'node:assert/strict'
import { pbkdf2Sync } from 'node:crypto'
import { credentialOf, salted } from '../../../src/security/sasl/scram-credential.ts'

const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')

test('a password and its salted form make the same credential', () => {
  const password = pbkdf2Sync('pencil', salt, 4096, 64, 'sha512')
  assert.deepEqual(salted('SCRAM-SHA-512', password, salt, 4096), credentialOf('SCRAM-SHA-512', 'pencil', salt, 4096))
})

test('mechanisms, salts and iterations make different credentials', () => {
  const keys = [
    credentialOf('SCRAM-SHA-256', 'pencil', salt, 4096),
    credentialOf('SCRAM-SHA-512', 'pencil', salt, 4096),
    credentialOf('SCRAM-SHA-256', 'pencil', salt, 4097),
    credentialOf('SCRAM-SHA-256', 'pencil', Buffer.from('other'), 4096),
  ].map(({ storedKey }) => storedKey.toString('hex'))
  assert.equal(new Set(keys).size, 4)
  assert.deepEqual(
    keys.slice(0, 2).map(key => key.length / 2),
    [32, 64],
  )
})
