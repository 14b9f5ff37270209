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
  producer(config?: ProducerConfig): Producer
  consumer(config: ConsumerConfig): Consumer
  admin(config?: AdminConfig): Admin
  logger(): Logger
}

/** Asked for the brokers whenever a client connects. */
export type BrokersFunction = () => string[] | Promise<string[]>

export interface KafkaConfig {
  /** `host:port` of brokers to connect to first. */
  brokers: string[] | BrokersFunction
  ssl?: ConnectionOptions | boolean
  sasl?: SASLOptions | Mechanism
  clientId?: string
  /** ms */
  connectionTimeout?: number
  /** ms */
  authenticationTimeout?: number
  /** ms */
  reauthenticationThreshold?: number
  /** ms */
  requestTimeout?: number
  enforceRequestTimeout?: boolean
  retry?: RetryOptions
  socketFactory?: ISocketFactory
  logLevel?: logLevel
  logCreator?: logCreator
}

export interface ISocketFactoryArgs {
  host: string
  port: number
  ssl: ConnectionOptions
  onConnect: () => void
}

export type ISocketFactory = (args: ISocketFactoryArgs) => Socket

export interface OauthbearerProviderResponse {
  /** The token. */
  value: string
}

export type SASLMechanismOptionsMap = {
  plain: { username: string; password: string }
  'scram-sha-256': { username: string; password: string }
  'scram-sha-512': { username: string; password: string }
  aws: { authorizationIdentity: string; accessKeyId: string; secretAccessKey: string; sessionToken?: string }
  oauthbearer: { oauthBearerProvider: () => Promise<OauthbearerProviderResponse> }
}

export type SASLMechanism = keyof SASLMechanismOptionsMap
export type SASLMechanismOptions<T> = T extends SASLMechanism ? { mechanism: T } & SASLMechanismOptionsMap[T] : never
export type SASLOptions = SASLMechanismOptions<SASLMechanism>

export type SaslAuthenticationRequest = {
  /** The bytes to send, with their length (four bytes) in front. */
  encode: () => Buffer | Promise<Buffer>
}

export type SaslAuthenticationResponse<ParseResult> = {
  /** @param rawResponse the broker's bytes, with their length (four bytes) in front */
  decode: (rawResponse: Buffer) => Buffer | Promise<Buffer>
  parse: (data: Buffer) => ParseResult
}

export type SaslAuthenticateArgs<ParseResult> = {
  request: SaslAuthenticationRequest
  response?: SaslAuthenticationResponse<ParseResult>
}

export type Authenticator = { authenticate: () => Promise<void> }

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
  authenticationProvider: (args: AuthenticationProviderArgs) => Authenticator
}
