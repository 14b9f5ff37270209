/** Clients whose configuration cannot work: each says why, and what to do. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { inspect } from 'node:util'
import {
  AdminClient,
  Consumer,
  ErrorCode,
  KafkaError,
  OFFSET_BEGINNING,
  Producer,
  ShareConsumer,
  type ClientConfig,
  type ClientOptions,
  type DeliveryReport,
  type TopicPartitionOffset,
  type ConsumerConfig,
  type ProducerConfig,
} from 'ottla'
import { Authority } from '../harness/certificates.ts'

/** Listeners of every kind. The brokers' certificate is for 127.0.0.1 only. */
export interface MisconfiguredWorld {
  readonly plainServers: string
  /** SASL PLAIN. */
  readonly passwordServers: string
  /** SASL PLAIN over TLS. */
  readonly tlsServers: string
  /** In a file. */
  readonly authority: string
  readonly user: string
  readonly password: string
  /** A listener that requires a client certificate; null if there is none. */
  readonly certificateServers: string | null
  /** A controller's listener; null if there is none. */
  readonly controllers: string | null
  close(): Promise<void>
}

interface Trouble {
  readonly config: ClientConfig
  readonly why: RegExp
  /** The code of the error that says why, or of its cause. */
  readonly code: number
  /** The error is transient: calls wait until their timeout. */
  readonly mayPass?: boolean
}

// A password that nothing accepts; it must not appear in any message.
const WRONG = 'M1sspelt-Pa55word'
// Timeout of messages, and of calls that wait, once the problem is known.
const LIMIT_MS = 500
const PASSING = { timeoutMs: LIMIT_MS }
// Refused clients must fail far earlier than the two minutes of initTransactions.
const SOON = { timeoutMs: 30_000 }

/**
 * @param closedPort - a port that nobody listens on
 * @param stranger - a file with a CA that has issued nothing
 */
function troublesOf(world: MisconfiguredWorld, closedPort: number, stranger: string): Record<string, Trouble> {
  const { plainServers, passwordServers, tlsServers, authority, user, password, controllers, certificateServers } =
    world
  const tls = { 'ssl.ca.location': authority }
  const sasl = (more: Partial<ClientConfig>): ClientConfig => ({
    'bootstrap.servers': passwordServers,
    'security.protocol': 'sasl_plaintext',
    'sasl.mechanisms': 'PLAIN',
    'sasl.username': user,
    'sasl.password': password,
    ...more,
  })
  const overTls = (more: Partial<ClientConfig>): ClientConfig =>
    sasl({ 'bootstrap.servers': tlsServers, 'security.protocol': 'sasl_ssl', ...more })
  const { ERR__AUTHENTICATION, ERR__RESOLVE, ERR__SSL, ERR__TRANSPORT } = ErrorCode
  const troubles: Record<string, Trouble> = {
    'a port where nobody listens': {
      config: { 'bootstrap.servers': `127.0.0.1:${closedPort}` },
      why: /ECONNREFUSED.*: nobody listens there; is bootstrap\.servers right/,
      code: ERR__TRANSPORT,
      mayPass: true,
    },
    'a name that does not exist': {
      config: { 'bootstrap.servers': 'no-such-host.invalid:9092' },
      why: /cannot resolve the host name no-such-host\.invalid: .*; is bootstrap\.servers right/,
      code: ERR__RESOLVE,
      mayPass: true,
    },
    'a wrong password': {
      config: sasl({ 'sasl.password': WRONG }),
      why: /SASL PLAIN authentication failed: .*; are sasl\.username and sasl\.password right\?/,
      code: ERR__AUTHENTICATION,
    },
    'a wrong password over TLS': {
      config: overTls({ 'sasl.password': WRONG, ...tls }),
      why: /SASL PLAIN authentication failed: .*; are sasl\.username and sasl\.password right\?/,
      code: ERR__AUTHENTICATION,
    },
    'a mechanism that is not offered': {
      config: {
        'bootstrap.servers': passwordServers,
        'security.protocol': 'sasl_plaintext',
        'sasl.mechanisms': 'OAUTHBEARER',
        'enable.sasl.oauthbearer.unsecure.jwt': true,
        'sasl.oauthbearer.config': `principal=${WRONG}`,
      },
      why: /does not accept sasl\.mechanisms=OAUTHBEARER; it offers .*PLAIN/,
      code: ERR__AUTHENTICATION,
    },
    'no SASL where it is asked for': {
      config: { 'bootstrap.servers': passwordServers },
      why: /does the listener require SASL\? Then security\.protocol has to be sasl_plaintext/,
      code: ERR__TRANSPORT,
    },
    'no SASL where it is asked for over TLS': {
      config: { 'bootstrap.servers': tlsServers, 'security.protocol': 'ssl', ...tls },
      why: /does the listener require SASL\? Then security\.protocol has to be sasl_ssl/,
      code: ERR__TRANSPORT,
    },
    'SASL where there is none': {
      config: sasl({ 'bootstrap.servers': plainServers }),
      why: /is the listener without SASL\? Then security\.protocol has to be plaintext or ssl/,
      code: ERR__AUTHENTICATION,
    },
    'clear text to a port that speaks TLS': {
      config: { 'bootstrap.servers': tlsServers },
      why: /the port speaks TLS: security\.protocol has to be ssl or sasl_ssl|does the port speak TLS \(security\.protocol=ssl/,
      code: 0,
    },
    'SASL in clear text to a port that speaks TLS': {
      config: sasl({ 'bootstrap.servers': tlsServers }),
      why: /the port speaks TLS: security\.protocol has to be ssl or sasl_ssl|does the port speak TLS \(security\.protocol=ssl/,
      code: 0,
    },
    'TLS to a port in clear text': {
      config: { 'bootstrap.servers': plainServers, 'security.protocol': 'ssl', ...tls },
      why: /does the port speak TLS\? If not, security\.protocol has to be plaintext or sasl_plaintext/,
      code: ERR__TRANSPORT,
    },
    'TLS and SASL to a port in clear text': {
      config: overTls({ 'bootstrap.servers': passwordServers, ...tls }),
      why: /does the port speak TLS\? If not, security\.protocol has to be plaintext or sasl_plaintext/,
      code: ERR__TRANSPORT,
    },
    'an authority that is not trusted': {
      config: overTls({ 'ssl.ca.location': stranger }),
      why: /not from a trusted authority; ssl\.ca\.location/,
      code: ERR__SSL,
    },
    'a certificate for another name': {
      config: overTls({ 'bootstrap.servers': tlsServers.replaceAll('127.0.0.1', 'localhost'), ...tls }),
      why: /the broker's certificate is not for localhost: .*ssl\.endpoint\.identification\.algorithm/,
      code: ERR__SSL,
    },
  }
  if (certificateServers !== null) {
    troubles['no certificate where one is asked for'] = {
      config: { 'bootstrap.servers': certificateServers, 'security.protocol': 'ssl', ...tls },
      why: /requires a client certificate: set ssl\.certificate/,
      code: ERR__SSL,
    }
  }
  if (controllers !== null) {
    troubles["a controller's listener"] = {
      config: { 'bootstrap.servers': controllers },
      why: /is a controller's listener, not a broker's: bootstrap\.servers has to name brokers/,
      code: ERR__TRANSPORT,
    }
  }
  return troubles
}

/** Records the errors and logs of one client. */
class ErrorRecorder {
  readonly lines: string[] = []
  readonly options: ClientOptions
  /** Resolves when the log names the problem. */
  readonly isKnown: Promise<void>
  readonly #trouble: Trouble
  readonly #texts: string[] = []

  constructor(trouble: Trouble) {
    this.#trouble = trouble
    let known = (): void => undefined
    this.isKnown = new Promise(resolve => {
      known = resolve
    })
    const logger = (_: unknown, __: unknown, line: string): void => {
      this.lines.push(line)
      if (trouble.why.test(line)) known()
    }
    this.options = { logger }
  }

  /** Asserts that the error says why, and so does its cause if it has one. */
  reasonOf(error: unknown, withCause = true): true {
    const { why, code } = this.#trouble
    assert.ok(error instanceof KafkaError, String(error))
    assert.match(error.message, why)
    this.#texts.push(inspect(error, { depth: Infinity }))
    const chain: KafkaError[] = []
    for (let e: unknown = error; e instanceof Error; e = e.cause) {
      if (e instanceof KafkaError) chain.push(e)
    }
    if (withCause) assert.match(String(error.cause), why)
    if (code !== 0)
      assert.ok(
        chain.some(e => e.code === code),
        `${code} is not among ${chain.map(e => e.name).join()}`,
      )
    return true
  }

  explained(text: string): void {
    this.#texts.push(text)
    assert.match(text, this.#trouble.why)
  }

  /** Asserts that an error nobody listens for is logged once. */
  logged(): void {
    const { why } = this.#trouble
    assert.equal(this.lines.filter(line => why.test(line)).length, 1, this.lines.join('\n'))
    assert.ok(this.lines.length <= 2, this.lines.join('\n'))
  }

  /** Asserts that no message contains a password. */
  keepsSecrets(): void {
    for (const text of [...this.lines, ...this.#texts]) assert.ok(!text.includes(WRONG), text)
  }
}

type Client = (trouble: Trouble, recorder: ErrorRecorder) => Promise<void>

const producers: Record<string, Partial<ProducerConfig>> = {
  'a producer': { 'enable.idempotence': false },
  'an idempotent producer': { 'enable.idempotence': true },
}

function sending(own: Partial<ProducerConfig>): Client {
  return async ({ config }, recorder) => {
    const producer = new Producer({ ...config, ...own, 'message.timeout.ms': LIMIT_MS }, recorder.options)
    try {
      await recorder.isKnown
      const reported = new Promise<DeliveryReport>(resolve => producer.produce({ topic: 't', value: 'x' }, resolve))
      await assert.rejects(producer.send({ topic: 't', value: 'x' }), error => recorder.reasonOf(error))
      assert.equal(await producer.flush({ timeoutMs: 60_000 }), 0)
      recorder.reasonOf((await reported).error)
      recorder.logged()
    } finally {
      await producer.close()
    }
  }
}

const transacting: Client = async ({ config, mayPass }, recorder) => {
  const producer = new Producer({ ...config, 'transactional.id': 'misconfigured' }, recorder.options)
  try {
    if (mayPass === true) await recorder.isKnown
    const init = producer.initTransactions(mayPass === true ? PASSING : SOON)
    await assert.rejects(init, error => recorder.reasonOf(error))
    // The producer must survive: the problem may be corrected.
    if (mayPass !== true) await assert.rejects(producer.initTransactions({ timeoutMs: 1 }), { name: 'ERR__TIMED_OUT' })
    recorder.logged()
  } finally {
    await producer.close({ timeoutMs: 0 })
  }
}

const administrating: Client = async ({ config, mayPass }, recorder) => {
  const admin = new AdminClient(config, recorder.options)
  try {
    if (mayPass === true) await recorder.isKnown
    const options = mayPass === true ? { requestTimeoutMs: LIMIT_MS } : {}
    await assert.rejects(admin.describeCluster(options), error => recorder.reasonOf(error))
    recorder.logged()
  } finally {
    await admin.close()
  }
}

const from: TopicPartitionOffset[] = [{ topic: 't', partition: 0, offset: OFFSET_BEGINNING }]
const readers: Record<string, { own: Partial<ConsumerConfig>; begin: (consumer: Consumer) => unknown }> = {
  'a member of a classic group': { own: { 'group.id': 'g' }, begin: consumer => consumer.subscribe('t') },
  'a member of a consumer group': {
    own: { 'group.id': 'g', 'group.protocol': 'consumer' },
    begin: consumer => consumer.subscribe('t'),
  },
  'a consumer without a group': { own: {}, begin: consumer => consumer.assign(from) },
}

function reading({ own, begin }: (typeof readers)[string]): Client {
  return async ({ config, mayPass }, recorder) => {
    const consumer = new Consumer({ ...config, ...own }, recorder.options)
    try {
      await begin(consumer)
      await recorder.isKnown
      await assert.rejects(consumer.readMessage(LIMIT_MS), error => recorder.reasonOf(error))
      recorder.explained(consumer.explain().join('\n'))
      recorder.logged()
      const query = consumer.getMetadata(mayPass === true ? PASSING : {})
      await assert.rejects(query, error => recorder.reasonOf(error))
    } finally {
      // There is no coordinator to send a leave request to, so close does not wait.
      await consumer.close()
    }
  }
}

const listening: Client = async ({ config }, recorder) => {
  const consumer = new Consumer({ ...config, 'group.id': 'g' }, recorder.options)
  try {
    const reported = new Promise<KafkaError>(resolve => consumer.on('error', ({ error }) => resolve(error)))
    consumer.subscribe('t')
    recorder.reasonOf(await reported)
    assert.deepEqual(recorder.lines, [])
  } finally {
    await consumer.close()
  }
}

const sharing: Client = async ({ config }, recorder) => {
  const consumer = new ShareConsumer({ ...config, 'group.id': 's' }, recorder.options)
  try {
    const reported = new Promise<KafkaError>(resolve => consumer.on('error', ({ error }) => resolve(error)))
    consumer.subscribe('t')
    recorder.reasonOf(await reported)
  } finally {
    await consumer.close()
  }
}

const clients: Record<string, Record<string, Client>> = {
  'Messages that could not be delivered': Object.fromEntries(
    Object.entries(producers).map(([who, own]) => [who, sending(own)]),
  ),
  'initTransactions and the calls of administrators': {
    'a transactional producer': transacting,
    'an administrator': administrating,
  },
  'Whoever reads': {
    ...Object.fromEntries(Object.entries(readers).map(([who, reader]) => [who, reading(reader)])),
    'a consumer with a listener': listening,
    'a share consumer': sharing,
  },
}

export function misconfiguredScenarios(start: () => Promise<MisconfiguredWorld>): void {
  let world: MisconfiguredWorld
  let closedPort: number
  let stranger: string

  before(async () => {
    world = await start()
    stranger = Authority.make('Somebody else').certFile
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    closedPort = (server.address() as AddressInfo).port
    server.close()
  })

  after(() => world.close())

  for (const [what, kinds] of Object.entries(clients)) {
    test(`${what} say why no broker can be reached, and what to do, in a line of the log`, async () => {
      const tries: Promise<void>[] = []
      const failures: string[] = []
      for (const [trouble, is] of Object.entries(troublesOf(world, closedPort, stranger))) {
        for (const [who, client] of Object.entries(kinds)) {
          const recorder = new ErrorRecorder(is)
          const one = client(is, recorder).then(() => recorder.keepsSecrets())
          tries.push(one.catch((error: unknown) => void failures.push(`${who}, ${trouble}: ${String(error)}`)))
        }
      }
      await Promise.all(tries)
      assert.deepEqual(failures, [])
    })
  }
}
