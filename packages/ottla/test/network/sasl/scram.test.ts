import assert from 'node:assert/strict'
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { test } from 'node:test'
import type { SaslExchange } from '../../../src/network/sasl/mechanism.ts'
import { ScramMechanism, type ScramName } from '../../../src/network/sasl/scram.ts'

const hashes = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' } as const
const user = { username: 'user', password: 'pencil' }

function begun(name: ScramName, credentials = user, nonce = 'rOprNGfwEbeRWgbNEkqO'): SaslExchange {
  return new ScramMechanism(name, () => credentials, { nonce: () => nonce }).exchange()
}

async function next(exchange: SaslExchange, message: string): Promise<string | null> {
  const answer = await exchange.next(Buffer.from(message))
  return answer === null ? null : answer.toString()
}

test('the exchange of RFC 7677 is reproduced', async () => {
  const exchange = begun('SCRAM-SHA-256')
  assert.equal(String(await exchange.start()), 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO')
  const first = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'
  assert.equal(
    await next(exchange, first),
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  )
  assert.equal(await next(exchange, 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='), null)
})

for (const name of ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
  test(`${name} proves the password, and has the broker prove that it knows it`, async () => {
    const exchange = begun(name, { username: 'a=b,c', password: 'pässword' }, 'abc')
    const bare = 'n=a=3Db=2Cc,r=abc'
    assert.equal(String(await exchange.start()), `n,,${bare}`)
    const serverFirst = `r=abcdef,s=${Buffer.from('salt').toString('base64')},i=5000`
    const final = (await next(exchange, serverFirst)) ?? ''
    const hmac = (key: Buffer, text: string): Buffer => createHmac(hashes[name], key).update(text).digest()
    const length = name === 'SCRAM-SHA-256' ? 32 : 64
    const salted = pbkdf2Sync('pässword', 'salt', 5000, length, hashes[name])
    const clientKey = hmac(salted, 'Client Key')
    const authMessage = `${bare},${serverFirst},c=biws,r=abcdef`
    const signature = hmac(createHash(hashes[name]).update(clientKey).digest(), authMessage)
    const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] ?? 0)))
    assert.equal(final, `c=biws,r=abcdef,p=${proof.toString('base64')}`)
    const shown = hmac(hmac(salted, 'Server Key'), authMessage).toString('base64')
    assert.equal(await next(exchange, `v=${shown}`), null)
  })
}

test('the exchange marks a delegation token as one, and the proof covers the mark', async () => {
  const token = { username: 'id', password: 'aG1hYw==' }
  const options = { isToken: true, nonce: () => 'abc' }
  const exchange = new ScramMechanism('SCRAM-SHA-256', () => token, options).exchange()
  const bare = 'n=id,r=abc,tokenauth=true'
  assert.equal(String(await exchange.start()), `n,,${bare}`)
  const serverFirst = `r=abcdef,s=${Buffer.from('salt').toString('base64')},i=4096`
  const final = (await next(exchange, serverFirst)) ?? ''
  const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
  const salted = pbkdf2Sync(token.password, 'salt', 4096, 32, 'sha256')
  const clientKey = hmac(salted, 'Client Key')
  const stored = createHash('sha256').update(clientKey).digest()
  const signature = hmac(stored, `${bare},${serverFirst},c=biws,r=abcdef`)
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] ?? 0)))
  assert.equal(final, `c=biws,r=abcdef,p=${proof.toString('base64')}`)
})

test('a broker that does not know the password is detected', async () => {
  const exchange = begun('SCRAM-SHA-256')
  await exchange.start()
  await next(exchange, 'r=rOprNGfwEbeRWgbNEkqOx,s=c2FsdA==,i=4096')
  await assert.rejects(
    next(exchange, `v=${Buffer.alloc(32).toString('base64')}`),
    /the broker does not know the password/,
  )
  for (const message of ['', 'v=', 'v=short', 'r=x']) {
    const other = begun('SCRAM-SHA-256')
    await other.start()
    await next(other, 'r=rOprNGfwEbeRWgbNEkqOx,s=c2FsdA==,i=4096')
    await assert.rejects(next(other, message), { name: 'ERR__AUTHENTICATION' }, message)
  }
})

test('invalid messages of a broker are refused before anything is computed', async () => {
  for (const [message, why] of [
    ['r=other,s=c2FsdA==,i=4096', /not of this exchange/],
    ['r=rOprNGfwEbeRWgbNEkqO,s=c2FsdA==,i=4096', /not of this exchange/],
    ['r=rOprNGfwEbeRWgbNEkqOx,s=c2FsdA==,i=100', /100 iterations/],
    ['r=rOprNGfwEbeRWgbNEkqOx,s=c2FsdA==,i=999999999', /999999999 iterations/],
    ['r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096', /malformed first message/],
    ['m=mandatory,r=rOprNGfwEbeRWgbNEkqOx,s=c2FsdA==,i=4096', /malformed first message/],
    ['e=unknown-user', /the broker answered unknown-user/],
    ['', /malformed first message/],
  ] as const) {
    const exchange = begun('SCRAM-SHA-256')
    await exchange.start()
    await assert.rejects(next(exchange, message), why, message)
  }
})

test('each exchange has a nonce of its own, and reads the current credentials', async () => {
  let password = 'first'
  const mechanism = new ScramMechanism('SCRAM-SHA-512', () => ({ username: 'u', password }))
  const nonces = new Set<string>()
  for (let i = 0; i < 20; i++) nonces.add(String(await mechanism.exchange().start()))
  assert.equal(nonces.size, 20)
  const proofOf = async (): Promise<string | null> => {
    const exchange = mechanism.exchange()
    const nonce = String(await exchange.start()).split('r=')[1] ?? ''
    return next(exchange, `r=${nonce}x,s=c2FsdA==,i=4096`)
  }
  const before = (await proofOf())?.split('p=')[1]
  password = 'second'
  const after = (await proofOf())?.split('p=')[1]
  assert.notEqual(before, after)
})
