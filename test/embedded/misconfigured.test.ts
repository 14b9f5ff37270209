/** Clients that can never reach a broker as they are configured: each says why, and what to do. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient, Consumer, ErrorCode, KafkaError, Producer, type ClientConfig } from 'ottla'
import { Authority } from '../harness/certificates.ts'

const sasl = { mechanisms: ['PLAIN' as const], users: { alice: 'secret' } }
let passwords: EmbeddedCluster
let plain: EmbeddedCluster
let secure: EmbeddedCluster

interface Trouble {
  readonly config: () => ClientConfig
  readonly why: RegExp
  readonly code: number
  /** A call of an administrator does not wait for it to get better. */
  readonly hopeless?: boolean
}

const alice = (cluster: EmbeddedCluster, more: ClientConfig): ClientConfig => ({
  'bootstrap.servers': cluster.bootstrapServers,
  'security.protocol': 'sasl_plaintext',
  'sasl.mechanisms': 'PLAIN',
  'sasl.username': 'alice',
  'sasl.password': 'secret',
  ...more,
})

const troubles: Readonly<Record<string, Trouble>> = {
  'no SASL where it is asked for': {
    config: () => ({ 'bootstrap.servers': passwords.bootstrapServers }),
    why: /does the listener ask for SASL\? Then security\.protocol has to be sasl_plaintext/,
    code: ErrorCode.ERR__TRANSPORT,
  },
  'a wrong password': {
    config: () => alice(passwords, { 'sasl.password': 'wrong' }),
    why: /authentication failed/i,
    code: ErrorCode.ERR__AUTHENTICATION,
    hopeless: true,
  },
  'a mechanism that is not offered': {
    config: () => alice(passwords, { 'sasl.mechanisms': 'SCRAM-SHA-256' }),
    why: /does not accept sasl\.mechanisms=SCRAM-SHA-256; it offers PLAIN/,
    code: ErrorCode.ERR__AUTHENTICATION,
    hopeless: true,
  },
  'clear text to a port that speaks TLS': {
    config: () => ({ 'bootstrap.servers': secure.bootstrapServers }),
    why: /TLS.*security\.protocol|security\.protocol.*ssl/,
    code: 0,
  },
  'TLS to a port in clear text': {
    config: () => ({ 'bootstrap.servers': plain.bootstrapServers, 'security.protocol': 'ssl' }),
    why: /TLS/,
    code: 0,
  },
  'an authority that is not trusted': {
    config: () => ({ 'bootstrap.servers': secure.bootstrapServers, 'security.protocol': 'ssl' }),
    why: /of no authority that is trusted; ssl\.ca\.location/,
    code: ErrorCode.ERR__SSL,
    hopeless: true,
  },
  'a port where nobody listens': {
    config: () => ({ 'bootstrap.servers': '127.0.0.1:1' }),
    why: /127\.0\.0\.1:1: connect ECONNREFUSED/,
    code: ErrorCode.ERR__TRANSPORT,
  },
  'a name that does not exist': {
    config: () => ({ 'bootstrap.servers': 'no-such-host.invalid:9092' }),
    why: /cannot resolve the host name no-such-host\.invalid/,
    code: ErrorCode.ERR__RESOLVE,
  },
}

before(async () => {
  const { cert, key } = Authority.make('Here').issue({ subject: '/CN=localhost', names: 'IP:127.0.0.1' })
  passwords = await EmbeddedCluster.start({ sasl })
  plain = await EmbeddedCluster.start()
  secure = await EmbeddedCluster.start({ tls: { cert, key } })
})

after(() => Promise.all([passwords.close(), plain.close(), secure.close()]))

function reasonOf(error: unknown, { why, code }: Trouble): true {
  assert.ok(error instanceof KafkaError)
  assert.match(error.message, why)
  if (code !== 0) {
    const codes: number[] = []
    for (let e: unknown = error; e instanceof KafkaError; e = e.cause) codes.push(e.code)
    assert.ok(codes.includes(code), `${code} is not among ${codes.join(', ')}`)
  }
  return true
}

for (const [what, trouble] of Object.entries(troubles)) {
  test(`${what}: a message that could not be delivered says why, in few lines of the log`, async () => {
    const lines: string[] = []
    const options = { logger: (_: unknown, __: string, line: string): void => void lines.push(line) }
    const producer = new Producer({ ...trouble.config(), 'message.timeout.ms': 1500 }, options)
    try {
      await assert.rejects(producer.send({ topic: 't', value: 'x' }), error => {
        assert.ok(error instanceof KafkaError && error.cause instanceof KafkaError)
        return reasonOf(error, trouble)
      })
      assert.ok(lines.some(line => trouble.why.test(line)))
      assert.ok(lines.length <= 5, lines.join('\n'))
    } finally {
      await producer.close()
    }
  })

  test(`${what}: an administrator's call says why`, async () => {
    const admin = new AdminClient(trouble.config(), { logger: () => undefined })
    try {
      const options = trouble.hopeless === true ? {} : { requestTimeoutMs: 1500 }
      await assert.rejects(admin.describeCluster(options), error => reasonOf(error, trouble))
    } finally {
      await admin.close()
    }
  })

  test(`${what}: a consumer has an event, and explain() names it`, async () => {
    const consumer = new Consumer({ ...trouble.config(), 'group.id': 'g' }, { logger: () => undefined })
    try {
      const told = new Promise<KafkaError>(resolve => consumer.on('error', ({ error }) => resolve(error)))
      consumer.subscribe('t')
      reasonOf(await told, trouble)
      assert.match(consumer.explain().join('\n'), trouble.why)
    } finally {
      await consumer.close({ timeoutMs: 1000 }).catch(() => undefined)
    }
  })
}

test('A topic that does not exist is the reason of messages that ran out of time before it was given up', async () => {
  await using cluster = await EmbeddedCluster.start({ autoCreateTopics: false })
  const config = { 'bootstrap.servers': cluster.bootstrapServers, 'message.timeout.ms': 1000 }
  const producer = new Producer(config, { logger: () => undefined })
  try {
    await assert.rejects(producer.send({ topic: 'none', value: 'x' }), error => {
      assert.ok(error instanceof KafkaError && error.cause instanceof KafkaError)
      assert.equal(error.cause.code, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
      return true
    })
  } finally {
    await producer.close()
  }
})
