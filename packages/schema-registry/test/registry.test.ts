import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SchemaRegistry, SchemaRegistryError } from '../src/index.ts'
import { tinyRegistry } from './tiny-registry.ts'

const schema = { type: 'record', name: 'R', fields: [{ name: 'a', type: 'int' }] }

test('what was asked is not asked again, and questions asked at once are one', async t => {
  const tiny = await tinyRegistry(t)
  const registry = new SchemaRegistry({ url: tiny.url })
  const ids = await Promise.all([1, 2, 3].map(() => registry.register('s', schema)))
  assert.deepEqual([...ids, await registry.register('s', schema)], [1, 1, 1, 1])
  assert.equal(tiny.asked.length, 1)
  for (let i = 0; i < 3; i++) assert.equal((await registry.getById(1)).schema, JSON.stringify(schema))
  assert.equal(tiny.asked.length, 2)
  await registry.getLatest('s')
  await registry.getLatest('s')
  assert.equal(tiny.asked.length, 3)
})

test('the latest version is asked for again when its time is over, and after a registration', async t => {
  const tiny = await tinyRegistry(t)
  const registry = new SchemaRegistry({ url: tiny.url, latestTtlMs: 1 })
  await registry.register('s', schema)
  assert.equal((await registry.getLatest('s')).version, 1)
  await registry.register('s', { ...schema, doc: 'second' })
  assert.equal((await registry.getLatest('s')).version, 2)
})

test('the least recently used schemas are forgotten first', async t => {
  const tiny = await tinyRegistry(t)
  const registry = new SchemaRegistry({ url: tiny.url, cacheSize: 2 })
  for (const doc of ['1', '2', '3']) await registry.register('s', { ...schema, doc })
  for (const id of [1, 2, 1, 3, 1]) await registry.getById(id)
  assert.equal(tiny.asked.filter(({ url }) => url === '/schemas/ids/1').length, 1)
  await registry.getById(2)
  assert.equal(tiny.asked.filter(({ url }) => url === '/schemas/ids/2').length, 2)
})

test('a registry that fails, or cuts the connection, is asked again; another URL comes first', async t => {
  const down = await tinyRegistry(t)
  const up = await tinyRegistry(t)
  down.answer = () => undefined
  let failures = 2
  up.answer = () => (failures-- > 0 ? { status: 503, body: { error_code: 50003, message: 'not the leader' } } : null)
  const registry = new SchemaRegistry({ urls: [down.url, up.url], retryBackoffMs: 1 })
  assert.equal(await registry.register('s', schema), 1)
  assert.deepEqual([down.asked.length, up.asked.length], [3, 3])
  // The one that has answered is asked first from then on.
  await registry.getById(1)
  assert.deepEqual([down.asked.length, up.asked.length], [3, 4])
})

test('a call ends at its limit, with what went wrong', async t => {
  const tiny = await tinyRegistry(t)
  tiny.answer = () => undefined
  const registry = new SchemaRegistry({ url: tiny.url, timeoutMs: 50, retryBackoffMs: 10 })
  await assert.rejects(registry.getById(1), (error: SchemaRegistryError) => {
    assert.equal(error.code, 'UNAVAILABLE')
    assert.equal(error.isRetriable, true)
    assert.match(error.message, /^the schema registry at http:\/\/127\.0\.0\.1:\d+ cannot be reached: /)
    return true
  })
})

test('what the registry refuses is refused at once, in its words', async t => {
  const tiny = await tinyRegistry(t)
  const registry = new SchemaRegistry({ url: tiny.url })
  const refused = async (status: number, error_code: number, code: string): Promise<void> => {
    tiny.asked.length = 0
    tiny.answer = () => ({ status, body: { error_code, message: 'said so' } })
    await assert.rejects(registry.register('s', schema), { code, status, errorCode: error_code, message: /said so$/ })
    assert.equal(tiny.asked.length, 1)
  }
  await refused(401, 401, 'UNAUTHORIZED')
  await refused(403, 40301, 'UNAUTHORIZED')
  await refused(404, 40401, 'NOT_FOUND')
  await refused(409, 409, 'INCOMPATIBLE')
  await refused(422, 42201, 'INVALID_SCHEMA')
  await refused(422, 42202, 'REFUSED')
  tiny.answer = () => ({ text: '<html>' })
  await assert.rejects(registry.getById(7), {
    code: 'REFUSED',
    message: /something other than JSON: is it a registry\?$/,
  })
})

test('credentials come from auth or from the URL, and are in no error', async t => {
  const tiny = await tinyRegistry(t)
  const asBasic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
  const authorization = async (options: object): Promise<string | undefined> => {
    tiny.asked.length = 0
    await new SchemaRegistry({ url: tiny.url, ...options }).register('s', schema)
    return tiny.asked[0]?.headers.authorization
  }
  assert.equal(await authorization({}), undefined)
  assert.equal(await authorization({ auth: { username: 'me', password: 'pass:word' } }), asBasic('me:pass:word'))
  assert.equal(await authorization({ url: tiny.url.replace('//', '//me:p%40ss@') }), asBasic('me:p@ss'))
  assert.equal(await authorization({ auth: { token: 'abc' } }), 'Bearer abc')
  assert.equal(await authorization({ auth: { token: async () => 'made' } }), 'Bearer made')
  tiny.answer = () => ({ status: 401, body: { error_code: 401, message: 'no' } })
  const registry = new SchemaRegistry({ url: tiny.url.replace('//', '//me:secret@') })
  await assert.rejects(
    registry.subjects(),
    (error: Error) => !`${error.message}${JSON.stringify(error)}`.includes('secret'),
  )
  assert.throws(
    () => new SchemaRegistry({ url: 'me:secret@host' }),
    (error: Error) => !error.message.includes('secret'),
  )
})

test('OAuth tokens are fetched once, and again when the registry refuses one', async t => {
  const tiny = await tinyRegistry(t)
  let tokens = 0
  tiny.answer = ({ url, headers }) => {
    if (url === '/token') return { body: { access_token: `t${++tokens}`, expires_in: 3600 } }
    return headers.authorization === 'Bearer t1' && tokens === 1 && tiny.asked.length > 3
      ? { status: 401, body: { error_code: 401, message: 'expired' } }
      : null
  }
  const oauth = { tokenUrl: `${tiny.url}/token`, clientId: 'id', clientSecret: 's%cret', scope: 'all' }
  const registry = new SchemaRegistry({ url: tiny.url, auth: { oauth } })
  await registry.register('s', schema)
  await registry.getById(1)
  assert.equal(tokens, 1)
  const asked = tiny.asked.find(({ url }) => url === '/token')
  assert.equal(asked?.body, 'grant_type=client_credentials&scope=all')
  assert.equal(asked.headers.authorization, `Basic ${Buffer.from('id:s%25cret').toString('base64')}`)
  await registry.getLatest('s')
  assert.equal(tokens, 2)
  tiny.answer = ({ url }) => (url === '/token' ? null : { status: 401, body: { error_code: 401, message: 'never' } })
  await assert.rejects(registry.getLatest('other'), SchemaRegistryError)
})

test('options that make no sense are refused by the constructor', () => {
  const refused = (options: object, message: RegExp): void => {
    assert.throws(() => new SchemaRegistry(options), { code: 'INVALID_ARGUMENT', message })
  }
  refused({}, /needs url, or urls/)
  refused({ url: 'http://a', urls: ['http://b'] }, /needs url, or urls/)
  refused({ urls: [] }, /urls is empty/)
  refused({ url: 'ftp://a' }, /http:\/\/ or https:\/\//)
  refused({ url: 'http://a', timeoutMs: 0 }, /timeoutMs/)
  refused({ url: 'https://a', tls: {}, fetch }, /exclude each other/)
})
