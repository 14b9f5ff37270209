/** The configurations of `KafkaJS` that all clients share. */
import type { GlobalConfig } from '@ottla/node-rdkafka'
import type { logLevel } from '../enums.ts'

/** A token, as `oauthBearerProvider` gives it. */
export interface OauthbearerProviderResponse {
  value: string
  principal: string
  /** When it expires, ms since the epoch. */
  lifetime: number
  extensions?: Map<string, string> | { [key: string]: string }
}

/** What each SASL mechanism needs. */
export interface SASLMechanismOptionsMap {
  plain: { username: string; password: string }
  'scram-sha-256': { username: string; password: string }
  'scram-sha-512': { username: string; password: string }
  oauthbearer: { oauthBearerProvider: () => Promise<OauthbearerProviderResponse> }
}

/** A SASL mechanism. */
export type SASLMechanism = keyof SASLMechanismOptionsMap

/** A mechanism with what it needs. */
export type SASLMechanismOptions<T> = T extends SASLMechanism ? { mechanism: T } & SASLMechanismOptionsMap[T] : never

/** How the client authenticates. */
export type SASLOptions = SASLMechanismOptions<SASLMechanism>

/** How requests are repeated; times in ms. */
export interface RetryOptions {
  maxRetryTime?: number
  initialRetryTime?: number
  /** Of messages; 5 by default. */
  retries?: number
}

/** What writes logs. */
export interface Logger {
  info: (message: string, extra?: object) => void
  error: (message: string, extra?: object) => void
  warn: (message: string, extra?: object) => void
  debug: (message: string, extra?: object) => void

  namespace: (namespace: string, logLevel?: logLevel) => Logger
  setLogLevel: (logLevel: logLevel) => void
}

/** The `kafkaJS` block of all clients; times in ms. */
export interface KafkaConfig {
  brokers: string[]
  /** Certificates and keys are librdkafka's properties, beside the block. */
  ssl?: boolean
  sasl?: SASLOptions
  clientId?: string
  connectionTimeout?: number
  authenticationTimeout?: number
  requestTimeout?: number
  enforceRequestTimeout?: boolean
  retry?: RetryOptions
  logLevel?: logLevel
  logger?: Logger
}

/** librdkafka's properties, and the `kafkaJS` block. */
export interface CommonConstructorConfig extends GlobalConfig {
  kafkaJS?: KafkaConfig
}

/** What producers and consumers have in common. */
export interface Client {
  connect(): Promise<void>
  disconnect(): Promise<void>
  logger(): Logger
  /** For SASL/PLAIN and SCRAM, from the next authentication on. */
  setSaslCredentials(authInfo: { username: string; password: string }): void
}
