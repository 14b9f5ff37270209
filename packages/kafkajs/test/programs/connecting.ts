/** A program written against kafkajs: connections, logs, errors. Compiled against kafkajs and the facade, never run. */
import { connect } from 'node:net'
import {
  CompressionCodecs,
  CompressionTypes,
  Kafka,
  KafkaJSAggregateError,
  KafkaJSConnectionError,
  KafkaJSDeleteGroupsError,
  KafkaJSDeleteTopicRecordsError,
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSOffsetOutOfRange,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
  KafkaJSTimeout,
  logLevel,
  type AuthenticationProviderArgs,
  type Authenticator,
  type ISocketFactory,
  type ISocketFactoryArgs,
  type KafkaConfig,
  type LogEntry,
  type logCreator,
  type Mechanism,
  type OauthbearerProviderResponse,
  type RetryOptions,
  type SASLOptions,
} from 'kafkajs'

const toStructured: logCreator = (level: logLevel) => {
  const isLoud = level === logLevel.DEBUG
  return ({ namespace, level: entryLevel, label, log }: LogEntry) => {
    const { message, timestamp, ...extra } = log
    if (entryLevel <= logLevel.WARN || isLoud)
      lines.push(`${label} ${namespace} ${timestamp} ${message} ${JSON.stringify(extra)}`)
  }
}

const sockets: ISocketFactory = ({ host, port, ssl, onConnect }: ISocketFactoryArgs) => {
  const socket = connect({ host, port }, onConnect)
  socket.setNoDelay(ssl.rejectUnauthorized !== false)
  return socket
}

const retry: RetryOptions = { maxRetryTime: 30_000, initialRetryTime: 300, factor: 0.2, multiplier: 2, retries: 5 }

const mechanism: Mechanism = {
  mechanism: 'X-TOKEN',
  authenticationProvider: ({ host, port, logger, saslAuthenticate }: AuthenticationProviderArgs): Authenticator => ({
    authenticate: async () => {
      logger.debug(`authenticating to ${host}:${port}`)
      const answer = await saslAuthenticate<string>({
        request: { encode: () => Buffer.from('token') },
        response: { decode: (raw: Buffer) => Buffer.from(raw), parse: (data: Buffer) => data.toString() },
      })
      if (answer === 'no') throw new Error('refused')
    },
  }),
}

const oauthBearerProvider = async (): Promise<OauthbearerProviderResponse> => Promise.resolve({ value: 'token' })
const mechanisms: (SASLOptions | Mechanism)[] = [
  { mechanism: 'plain', username: 'u', password: 'p' },
  { mechanism: 'scram-sha-256', username: 'u', password: 'p' },
  { mechanism: 'scram-sha-512', username: 'u', password: 'p' },
  {
    mechanism: 'aws',
    authorizationIdentity: 'id',
    accessKeyId: 'key',
    secretAccessKey: 'secret',
    sessionToken: 'token',
  },
  { mechanism: 'oauthbearer', oauthBearerProvider },
  mechanism,
]

const config = (sasl: SASLOptions | Mechanism): KafkaConfig => ({
  brokers: async () => Promise.resolve(['127.0.0.1:9092']),
  ssl: { ca: ['certificate'], rejectUnauthorized: true },
  sasl,
  clientId: 'program',
  connectionTimeout: 1000,
  authenticationTimeout: 10_000,
  reauthenticationThreshold: 10_000,
  requestTimeout: 30_000,
  enforceRequestTimeout: true,
  retry,
  socketFactory: sockets,
  logLevel: logLevel.INFO,
  logCreator: toStructured,
})

function why(error: unknown): string {
  if (error instanceof KafkaJSNumberOfRetriesExceeded)
    return `${error.retryCount} ${error.retryTime} ${why(error.cause)}`
  if (error instanceof KafkaJSOffsetOutOfRange) return `${error.topic} ${error.partition}`
  if (error instanceof KafkaJSProtocolError) return `${error.type} ${error.code}`
  if (error instanceof KafkaJSConnectionError) return error.broker
  if (error instanceof KafkaJSRequestTimeoutError)
    return `${error.broker} ${error.correlationId} ${error.pendingDuration}`
  if (error instanceof KafkaJSDeleteGroupsError) return error.groups.map(({ groupId }) => groupId).join()
  if (error instanceof KafkaJSDeleteTopicRecordsError) return error.message
  if (error instanceof KafkaJSNonRetriableError || error instanceof KafkaJSTimeout) return error.name
  if (error instanceof KafkaJSError) return `${error.retriable} ${error.helpUrl ?? ''} ${error.cause?.message ?? ''}`
  return error instanceof KafkaJSAggregateError ? error.errors.map(String).join() : String(error)
}

const lines: string[] = []

CompressionCodecs[CompressionTypes.Snappy] = () => ({
  compress: async (encoder: { buffer: Buffer }) => Promise.resolve(encoder.buffer),
  decompress: async (buffer: Buffer) => Promise.resolve(buffer),
})

export const program = {
  clients: mechanisms.map(each => new Kafka(config(each))),
  why,
  errors: [
    new KafkaJSError('text', { retriable: false, topic: 't', partitionId: 1 }),
    new KafkaJSNonRetriableError(new Error('text')),
    new KafkaJSProtocolError('text'),
    new KafkaJSNumberOfRetriesExceeded('text', { retryCount: 1, retryTime: 2 }),
    new KafkaJSOffsetOutOfRange('text', { topic: 't', partition: 0 }),
    new KafkaJSConnectionError('text', { broker: 'b', code: 'ECONNREFUSED' }),
  ],
}
