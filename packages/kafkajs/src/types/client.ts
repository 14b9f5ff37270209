/** `new Kafka(config)`, and how it connects. */
import type { ConnectionOptions } from 'node:tls'
import type { Socket } from 'node:net'
import type { Admin, AdminConfig } from './admin.ts'
import type { Consumer, ConsumerConfig } from './consumer.ts'
import type { logLevel } from './enums.ts'
import type { logCreator, Logger } from './logging.ts'
import type { Producer, ProducerConfig } from './producer.ts'
import type { RetryOptions } from './retry.ts'

/** What `new Kafka(config)` makes. */
export interface KafkaClient {
  /** A producer; it connects with `connect`. */
  producer(config?: ProducerConfig): Producer
  /** A member of a consumer group; it connects with `connect`. */
  consumer(config: ConsumerConfig): Consumer
  /** An admin client; it connects with `connect`. */
  admin(config?: AdminConfig): Admin
  /** What the clients log to. */
  logger(): Logger
}

/** Asked for the brokers whenever a client connects. */
export type BrokersFunction = () => string[] | Promise<string[]>

/** What `new Kafka(config)` takes. What cannot work is reported by `connect`. */
export interface KafkaConfig {
  /** `host:port` of brokers to connect to first, or a function that returns them. */
  brokers: string[] | BrokersFunction
  /** True for TLS that trusts what Node.js trusts, or the options of `tls.connect`. No TLS by default. */
  ssl?: ConnectionOptions | boolean
  /** How to authenticate; not at all by default. */
  sasl?: SASLOptions | Mechanism
  /** The name that brokers log and apply quotas to. `kafkajs` by default. */
  clientId?: string
  /** How long a broker may take to accept a connection, ms. 1000 by default. */
  connectionTimeout?: number
  /** How long authenticating may take, ms. 10 000 by default. */
  authenticationTimeout?: number
  /** Has no effect: a session is renewed when most of its time is over. kafkajs: how long before its end, ms. */
  reauthenticationThreshold?: number
  /** How long a broker may take to answer a request, ms. 30 000 by default. */
  requestTimeout?: number
  /** False for five minutes instead of `requestTimeout`. True by default. */
  enforceRequestTimeout?: boolean
  /** How calls are tried again, unless a client has its own. */
  retry?: RetryOptions
  /** Makes the sockets. */
  socketFactory?: ISocketFactory
  /** How much is logged. `INFO` by default. */
  logLevel?: logLevel
  /** Where the log goes: JSON on the console by default. */
  logCreator?: logCreator
}

/** Which broker a socket is for, and what to call once it is connected. */
export interface ISocketFactoryArgs {
  host: string
  port: number
  /** The `ssl` of the configuration. */
  ssl: ConnectionOptions
  /** Has to be called when the socket is connected. */
  onConnect: () => void
}

/** Makes the sockets that clients connect with. */
export type ISocketFactory = (args: ISocketFactoryArgs) => Socket

/** What `oauthBearerProvider` resolves with. */
export interface OauthbearerProviderResponse {
  /** The token. */
  value: string
}

/** The credentials that each built-in mechanism takes. */
export type SASLMechanismOptionsMap = {
  plain: { username: string; password: string }
  'scram-sha-256': { username: string; password: string }
  'scram-sha-512': { username: string; password: string }
  aws: { authorizationIdentity: string; accessKeyId: string; secretAccessKey: string; sessionToken?: string }
  oauthbearer: { oauthBearerProvider: () => Promise<OauthbearerProviderResponse> }
}

/** The built-in mechanisms. */
export type SASLMechanism = keyof SASLMechanismOptionsMap
/** One mechanism with its credentials. */
export type SASLMechanismOptions<T> = T extends SASLMechanism ? { mechanism: T } & SASLMechanismOptionsMap[T] : never
/** Any built-in mechanism with its credentials. */
export type SASLOptions = SASLMechanismOptions<SASLMechanism>

/** What is sent to a broker to authenticate. */
export type SaslAuthenticationRequest = {
  /** The bytes to send, with their length (four bytes) in front. */
  encode: () => Buffer | Promise<Buffer>
}

/** How a broker's answer is read. */
export type SaslAuthenticationResponse<ParseResult> = {
  /** @param rawResponse the broker's bytes, with their length (four bytes) in front */
  decode: (rawResponse: Buffer) => Buffer | Promise<Buffer>
  /** @param data what `decode` returned */
  parse: (data: Buffer) => ParseResult
}

/** One step of an authentication: what is sent, and how the answer is read. Without a response nothing is returned. */
export type SaslAuthenticateArgs<ParseResult> = {
  request: SaslAuthenticationRequest
  response?: SaslAuthenticationResponse<ParseResult>
}

/** Authenticates one connection; rejects if that fails. */
export type Authenticator = { authenticate: () => Promise<void> }

/** The broker that a mechanism authenticates with, and how it talks to it. */
export type AuthenticationProviderArgs = {
  host: string
  port: number
  logger: Logger
  saslAuthenticate: <ParseResult>(args: SaslAuthenticateArgs<ParseResult>) => Promise<ParseResult | void>
}

/** A mechanism of the program's own. */
export type Mechanism = {
  /** Its name, as brokers know it. */
  mechanism: string
  /** Called for each connection. */
  authenticationProvider: (args: AuthenticationProviderArgs) => Authenticator
}
