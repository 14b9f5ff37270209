/** OAUTHBEARER: tokens by event and by function, invalid and missing ones, and tokens that expire under load. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import {
  AdminClient,
  Consumer,
  ErrorCode,
  Producer,
  type ClientConfig,
  type KafkaError,
  type OAuthBearerToken,
} from 'ottla'
import { fresh } from './world.ts'

const WAIT_MS = 20_000
const quiet = (): void => undefined

export interface OAuthWorld {
  readonly bootstrapServers: string
  /** A token that brokers accept. */
  token(principal: string, lifeSeconds: number): OAuthBearerToken
  /** A token that they refuse. */
  readonly badToken: OAuthBearerToken
  close(): Promise<void>
}

/** @param start a cluster whose sessions end with their tokens */
export function oauthScenarios(start: () => Promise<OAuthWorld>): void {
  let world: OAuthWorld

  before(async () => {
    world = await start()
  })

  after(() => world.close())

  function config(changes: Partial<ClientConfig> = {}): ClientConfig {
    return {
      'bootstrap.servers': world.bootstrapServers,
      'security.protocol': 'sasl_plaintext',
      'sasl.mechanisms': 'OAUTHBEARER',
      'reconnect.backoff.ms': 20,
      'reconnect.backoff.max.ms': 100,
      ...changes,
    }
  }

  const lasting = (): OAuthBearerToken => world.token('alice', 3600)
  const authenticationError = (client: Producer): Promise<KafkaError> =>
    new Promise(resolve => {
      client.on('error', ({ error }) => {
        if (error.code === ErrorCode.ERR__AUTHENTICATION) resolve(error)
      })
    })

  test('OAUTHBEARER: the application is asked for tokens by an event, to a listener or by poll, and provides them', async () => {
    const topic = fresh('oauth')
    const producer = new Producer(config({ 'sasl.oauthbearer.config': 'tenant=7' }), { logger: quiet })
    const asked: string[] = []
    producer.on('oauthbearer-token-refresh', event => {
      asked.push(event.config)
      producer.setOAuthBearerToken(lasting())
    })
    const { partition, offset } = await producer.send({ topic, value: 'by a token' })
    assert.deepEqual(asked, ['tenant=7'])
    const consumer = new Consumer(config(), { logger: quiet })
    await consumer.assign([{ topic, partition, offset }])
    for (;;) {
      const event = await consumer.poll(WAIT_MS)
      assert.ok(event, 'nothing came')
      if (event.type === 'oauthbearer-token-refresh') consumer.setOAuthBearerToken(lasting())
      if (event.type !== 'message') continue
      assert.equal(String(event.message.value), 'by a token')
      break
    }
    await consumer.close()
    await producer.close()
    // This client's authentication is not part of the test.
    const other = new Producer({ 'bootstrap.servers': world.bootstrapServers }, { logger: quiet })
    assert.throws(() => other.setOAuthBearerToken(lasting()), { code: ErrorCode.ERR__STATE })
    await other.close()
  })

  test('OAUTHBEARER: a token function serves every kind of client', async () => {
    const topic = fresh('oauth')
    let calls = 0
    const options = {
      logger: quiet,
      oauthBearerToken: () => {
        calls++
        return { ...lasting(), extensions: { trace: 'a1' } }
      },
    }
    const admin = new AdminClient(config(), options)
    const [created] = await admin.createTopics([{ topic, numPartitions: 1, replicationFactor: 1 }])
    assert.equal(created?.error, undefined)
    await admin.close()
    const producer = new Producer(config(), options)
    assert.equal((await producer.send({ topic, value: 'x' })).status, 'persisted')
    await producer.close()
    assert.equal(calls, 2)
  })

  test('OAUTHBEARER: a refused token is reported, never shown, and can be replaced while the client runs', async () => {
    const producer = new Producer(config(), { logger: quiet })
    const failed = authenticationError(producer)
    producer.on('oauthbearer-token-refresh', () => producer.setOAuthBearerToken(world.badToken))
    const sent = producer.send({ topic: fresh('oauth'), value: 'x' })
    const error = await failed
    assert.match(error.message, /OAUTHBEARER/)
    assert.ok(!error.message.includes(world.badToken.tokenValue))
    producer.setOAuthBearerToken(lasting())
    assert.equal((await sent).status, 'persisted')
    await producer.close()
  })

  test('OAUTHBEARER: a missing token is reported with the reason; a later one is used at once', async () => {
    const silent = new Producer(config(), { logger: quiet })
    assert.match((await authenticationError(silent)).message, /nobody listens to oauthbearer-token-refresh/)
    silent.setOAuthBearerToken(lasting())
    assert.equal((await silent.send({ topic: fresh('oauth'), value: 'x' })).status, 'persisted')
    await silent.close()
    const failing = new Producer(config(), { logger: quiet })
    failing.on('oauthbearer-token-refresh', () => failing.setOAuthBearerTokenFailure('the vault is shut'))
    assert.match((await authenticationError(failing)).message, /the vault is shut/)
    await failing.close()
    const throwing = new Producer(config(), {
      logger: quiet,
      oauthBearerToken: () => Promise.reject(new Error('no such identity')),
    })
    assert.match((await authenticationError(throwing)).message, /no such identity/)
    await throwing.close()
  })

  test('OAUTHBEARER: tokens that expire every few seconds under load lose no message or connection, and duplicate nothing', async () => {
    const LIFE_SECONDS = 3
    const topic = fresh('oauth')
    const made: string[] = []
    const options = {
      logger: quiet,
      oauthBearerToken: () => {
        const token = world.token('alice', LIFE_SECONDS)
        made.push(token.tokenValue)
        return token
      },
    }
    const errors: string[] = []
    const producer = new Producer({ ...config(), 'linger.ms': 2 }, options)
    const consumer = new Consumer({ ...config(), 'fetch.wait.max.ms': 100 }, options)
    producer.on('error', ({ error }) => errors.push(error.message))
    consumer.on('error', ({ error }) => errors.push(error.message))
    const first = await producer.send({ topic, partition: 0, value: '0' })
    await consumer.assign([{ topic, partition: 0, offset: first.offset }])
    const seen: number[] = []
    let sent = 1
    const ends = Date.now() + LIFE_SECONDS * 3 * 1000
    let longestPauseMs = 0
    const writing = (async () => {
      const reports: Promise<unknown>[] = []
      while (Date.now() < ends) {
        for (let i = 0; i < 5; i++) reports.push(producer.send({ topic, partition: 0, value: String(sent++) }))
        const before = Date.now()
        await new Promise(resolve => setTimeout(resolve, 5))
        longestPauseMs = Math.max(longestPauseMs, Date.now() - before)
      }
      await Promise.all(reports)
    })()
    const written = new AbortController()
    void writing.finally(() => written.abort())
    while (!written.signal.aborted || seen.length < sent) {
      const event = await consumer.poll(200)
      if (event?.type === 'message') seen.push(Number(event.message.value))
    }
    await writing
    assert.deepEqual(
      seen,
      Array.from({ length: sent }, (_, i) => i),
    )
    // Connections re-authenticate at least 150 ms before they expire: a process blocked for that long is too late.
    if (longestPauseMs < 100) assert.deepEqual(errors, [])
    assert.ok(made.length >= 6, `${made.length} tokens`)
    await producer.close()
    await consumer.close()
  })
}
