import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode, type KafkaError, type OAuthBearerToken } from '../../../../src/index.ts'
import { TokenSource } from '../../../../src/network/sasl/oauth/token-source.ts'
import type { OAuthBearerTokenFunction } from '../../../../src/network/sasl/oauth/token.ts'
import { FakeClock, settle } from '../../../base/fake-clock.ts'

const LIFE_MS = 100_000
const config = 'tenant=7'

interface Bench {
  readonly clock: FakeClock
  readonly source: TokenSource
  readonly raised: KafkaError[]
  /** The calls of the application's functions, in order: `ask`, `token`. */
  readonly told: string[]
  readonly token: (tokenValue: string, lifeMs?: number) => OAuthBearerToken
}

/** @param make - null: by events, with or without a listener */
function start(make: ((bench: Bench) => OAuthBearerTokenFunction) | null, isHeard = true): Bench {
  const clock = new FakeClock()
  const raised: KafkaError[] = []
  const told: string[] = []
  const token = (tokenValue: string, lifeMs = LIFE_MS): OAuthBearerToken => ({
    tokenValue,
    expiration: clock.wallTime() + lifeMs,
    principal: 'alice',
  })
  let own: OAuthBearerTokenFunction | null = null
  const call: OAuthBearerTokenFunction = (text, signal) => {
    assert.ok(own)
    return own(text, signal)
  }
  const source = new TokenSource(clock, make === null ? null : call, config, {
    request: () => {
      told.push('ask')
      return isHeard
    },
    onToken: () => void told.push('token'),
    raise: error => void raised.push(error),
  })
  const bench = { clock, source, raised, told, token }
  own = make?.(bench) ?? null
  return bench
}

/** The state of a promise. */
function watch(promise: Promise<OAuthBearerToken>): { value?: string; error?: KafkaError } {
  const seen: { value?: string; error?: KafkaError } = {}
  promise.then(
    ({ tokenValue }) => (seen.value = tokenValue),
    (error: unknown) => (seen.error = error as KafkaError), // it rejects with nothing else
  )
  return seen
}

test('concurrent waits for the first token share one call of the function, which gets the config', async () => {
  const configs: string[] = []
  const { source, token } = start(({ token }) => text => {
    configs.push(text)
    return token('one')
  })
  assert.equal(source.state, 'idle')
  const all = await Promise.all([source.get(), source.get(), source.get()])
  assert.deepEqual(
    all.map(({ tokenValue }) => tokenValue),
    ['one', 'one', 'one'],
  )
  assert.deepEqual(configs, [config])
  assert.equal(source.state, 'fresh')
  assert.ok(token('x'))
  source.close()
})

test('a token is replaced after 80 % of its lifetime, whether or not it is needed', async () => {
  let calls = 0
  const { source, clock } = start(
    ({ token }) =>
      () =>
        token(`t${++calls}`),
  )
  await source.get()
  await clock.advance(LIFE_MS * 0.8 - 1)
  assert.equal(calls, 1)
  await clock.advance(1)
  await settle()
  assert.equal(calls, 2)
  assert.equal((await source.get()).tokenValue, 't2')
  source.close()
})

test('while a new token is requested the old one is used, as long as it is valid', async () => {
  let calls = 0
  let give = (_: OAuthBearerToken): void => assert.fail('it was not asked')
  const { source, clock, token } = start(({ token }) => () => {
    if (++calls === 1) return token('old')
    return new Promise(resolve => (give = resolve))
  })
  await source.get()
  await clock.advance(LIFE_MS * 0.9)
  await settle()
  assert.equal(source.state, 'requesting')
  assert.equal((await source.get()).tokenValue, 'old')
  await clock.advance(LIFE_MS * 0.1)
  const waiting = watch(source.get())
  await settle()
  assert.deepEqual(waiting, {})
  give(token('new'))
  await settle()
  assert.deepEqual(waiting, { value: 'new' })
  source.close()
})

test('a function that fails is called again 10 s later; waits reject with the reason, and the application gets an event', async () => {
  let calls = 0
  const { source, clock, raised } = start(({ token }) => () => {
    if (++calls < 3) throw new Error(`no vault ${calls}`)
    return token('at-last')
  })
  const first = watch(source.get())
  await settle()
  assert.equal(first.error?.code, ErrorCode.ERR__AUTHENTICATION)
  assert.match(first.error.message, /no vault 1/)
  assert.equal(source.state, 'failed')
  const second = watch(source.get())
  await settle()
  assert.match(second.error?.message ?? '', /no vault 1/)
  assert.equal(calls, 1, 'connections that try again do not make it ask more often')
  await clock.advance(9_999)
  assert.equal(calls, 1)
  await clock.advance(1)
  await settle()
  await clock.advance(10_000)
  await settle()
  assert.equal(calls, 3)
  assert.deepEqual(
    raised.map(({ message }) => /no vault \d/.exec(message)?.[0]),
    ['no vault 1', 'no vault 2'],
  )
  assert.equal((await source.get()).tokenValue, 'at-last')
  source.close()
})

test('a refresh that fails leaves the token in use until it expires', async () => {
  let calls = 0
  const { source, clock } = start(({ token }) => () => {
    if (++calls > 1) throw new Error('no vault')
    return token('old')
  })
  await source.get()
  await clock.advance(LIFE_MS * 0.8)
  await settle()
  assert.equal(source.state, 'failed')
  assert.equal((await source.get()).tokenValue, 'old')
  await clock.advance(LIFE_MS * 0.2)
  await settle()
  await assert.rejects(source.get(), /no vault/)
  source.close()
})

test('an event is emitted once, again after 80 % of the lifetime of the token, and 10 s after a failure', async () => {
  const { source, clock, told, token, raised } = start(null)
  const waiting = watch(source.get())
  void watch(source.get())
  await settle()
  assert.deepEqual(told, ['ask'])
  source.set(token('one'))
  await settle()
  assert.deepEqual(waiting, { value: 'one' })
  await clock.advance(LIFE_MS * 0.8)
  await settle()
  assert.deepEqual(told, ['ask', 'token', 'ask'])
  source.fail('no more')
  assert.match(raised[0]?.message ?? '', /no more/)
  await clock.advance(10_000)
  await settle()
  assert.deepEqual(told, ['ask', 'token', 'ask', 'ask'])
  source.close()
})

test('an event that nobody answers makes connections fail after 10 s, and is not repeated', async () => {
  const { source, clock, told } = start(null)
  const waiting = watch(source.get())
  await clock.advance(9_999)
  assert.deepEqual(waiting, {})
  await clock.advance(1)
  assert.equal(waiting.error?.code, ErrorCode.ERR__AUTHENTICATION)
  assert.match(waiting.error.message, /was not answered by setOAuthBearerToken/)
  await clock.advance(60_000)
  assert.deepEqual(told, ['ask'])
  source.close()
})

test('an event without a listener is a failure at once', async () => {
  const { source, raised } = start(null, false)
  await assert.rejects(source.get(), /nobody listens to oauthbearer-token-refresh/)
  assert.equal(raised.length, 1)
  source.close()
})

test('the application may set a token before it is asked, and another at any time: an older answer is ignored', async () => {
  let give = (_: OAuthBearerToken): void => assert.fail('it was not asked')
  const { source, clock, token, told } = start(() => () => new Promise(resolve => (give = resolve)))
  source.set(token('early'))
  assert.equal((await source.get()).tokenValue, 'early')
  await clock.advance(LIFE_MS * 0.8)
  await settle()
  source.set(token('by-hand'))
  give(token('late-answer'))
  await settle()
  assert.equal((await source.get()).tokenValue, 'by-hand')
  assert.deepEqual(told, ['token', 'token'])
  source.close()
})

test('a token that cannot be used is refused, and the previous one stays', async () => {
  const { source, token } = start(null)
  source.set(token('good'))
  const wrong: [OAuthBearerToken, RegExp][] = [
    [token('with space'), /RFC 6750/],
    [token('x', 0), /expired/],
    [{ ...token('x'), expiration: NaN }, /time in ms/],
    [{ ...token('x'), principal: '' }, /principal/],
    [{ ...token('x'), extensions: { auth: 'x' } }, /'auth'/],
    [{ ...token('x'), extensions: { 'a-b': 'x' } }, /'a-b'/],
    [{ ...token('x'), extensions: { a: 'x\x01auth=y' } }, /'a' has characters/],
  ]
  for (const [each, why] of wrong) {
    assert.throws(
      () => source.set(each),
      (error: KafkaError) => error.code === ErrorCode.ERR__INVALID_ARG && why.test(error.message),
    )
  }
  assert.equal((await source.get()).tokenValue, 'good')
  source.close()
})

test('a function that returns an unusable token has failed', async () => {
  const { source } = start(
    ({ token }) =>
      () =>
        token('not a token!'),
  )
  await assert.rejects(source.get(), (error: KafkaError) => {
    assert.equal(error.code, ErrorCode.ERR__AUTHENTICATION)
    assert.ok(!error.message.includes('not a token!'))
    return true
  })
  source.close()
})

test('closing aborts the function, rejects all waits, and leaves no timer', async () => {
  let signal: AbortSignal | undefined
  const { source, clock, token, raised, told } = start(() => (_, given) => {
    signal = given
    return new Promise(() => undefined)
  })
  const waiting = watch(source.get())
  await settle()
  source.close()
  source.close()
  await settle()
  assert.equal(signal?.aborted, true)
  assert.equal(waiting.error?.code, ErrorCode.ERR__DESTROY)
  await assert.rejects(source.get(), { code: ErrorCode.ERR__DESTROY })
  source.set(token('late'))
  source.fail('late')
  assert.deepEqual([raised.length, told.length, clock.pendingTimers], [0, 0, 0])
})

test('a client that is closed at once requests no token', async () => {
  const { source, told } = start(null)
  const waiting = watch(source.get())
  source.close()
  await settle()
  await settle()
  assert.equal(waiting.error?.code, ErrorCode.ERR__DESTROY)
  assert.deepEqual(told, [])
})
