import { test } from 'node:test'
import assert from 'node:assert/strict'
import { SaslRefused } from '../../../src/security/sasl/exchange.ts'
import { ScramExchange } from '../../../src/security/sasl/scram.ts'
import { credentialOf } from '../../../src/security/sasl/scram-credential.ts'

// The example of RFC 7677.
const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
const credential = credentialOf('SCRAM-SHA-256', 'pencil', salt, 4096)
const FIRST = 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO'
const NONCE = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
const PROOF = 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ='

function exchange(): ScramExchange {
  return new ScramExchange('SCRAM-SHA-256', {
    user: name => (name === 'user' ? { credential, name, expiresAt: null } : undefined),
    token: id => (id === 't,=' ? { credential, name: 'owner', expiresAt: 5 } : undefined),
    nonce: () => '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  })
}

function say(to: ScramExchange, message: string): string {
  return to.step(Buffer.from(message)).answer.toString()
}

test('the exchange of the RFC is reproduced word by word', () => {
  const scram = exchange()
  assert.equal(say(scram, FIRST), `r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`)
  const { answer, identity } = scram.step(Buffer.from(`c=biws,r=${NONCE},p=${PROOF}`))
  assert.equal(answer.toString(), 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
  assert.deepEqual(identity, { name: 'user', expiresAt: null, isToken: false })
})

test('a wrong proof, nonce or channel binding is refused', () => {
  for (const last of [
    `c=biws,r=${NONCE},p=${Buffer.alloc(32).toString('base64')}`,
    `c=biws,r=${NONCE},p=AAAA`,
    `c=biws,r=${NONCE}x,p=${PROOF}`,
    `c=eSws,r=${NONCE},p=${PROOF}`,
    `r=${NONCE},p=${PROOF}`,
    '',
  ]) {
    const scram = exchange()
    say(scram, FIRST)
    assert.throws(() => say(scram, last), SaslRefused, last)
  }
})

test('malformed first messages, channel binding and unknown users are refused alike', () => {
  for (const first of ['', 'n,,n=,r=x', 'n,,r=x,n=user', 'p=tls-unique,,n=user,r=x', 'n,,n=nobody,r=x']) {
    assert.throws(
      () => say(exchange(), first),
      (error: Error) => error instanceof SaslRefused && error.message.endsWith('mechanism SCRAM-SHA-256'),
      first,
    )
  }
})

test('an authorization id has to be the user', () => {
  assert.match(say(exchange(), 'n,a=user,n=user,r=x'), /^r=x/)
  assert.throws(() => say(exchange(), 'n,a=other,n=user,r=x'), /authorization id/)
})

test('a token logs in by its id, with comma and equals sign escaped', () => {
  assert.match(say(exchange(), 'n,,n=t=2C=3D,r=x,tokenauth=true'), /^r=x/)
  assert.throws(() => say(exchange(), 'n,,n=t=2C=3D,r=x'), SaslRefused)
  assert.throws(() => say(exchange(), 'n,,n=user,r=x,tokenauth=true'), SaslRefused)
})
