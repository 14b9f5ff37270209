/** What the constructors of the clients take: the generated keys, and brokers, without which there is no client. */
import type { BrokerList, FirstBrokers } from './generated/bootstrap.ts'
import type { CommonProperties } from './generated/common.ts'
import type { ConsumerProperties } from './generated/consumer.ts'
import type { MemberProperties } from './generated/member.ts'
import type { ProducerProperties } from './generated/producer.ts'
import type { SecurityProperties } from './generated/security.ts'
import type { ShareConsumerProperties } from './generated/share-consumer.ts'

/**
 * The brokers to connect to first, under the one name or the other.
 * @since 0.1.0
 */
// The compiler's errors name the last of them.
export type Brokers = BrokerList | FirstBrokers

/**
 * What every client takes beside brokers.
 * @since 0.1.0
 */
export type ClientProperties = SecurityProperties & CommonProperties

/**
 * The configuration of a producer: librdkafka's keys, with values of their native type or as text. `bootstrap.servers`
 * is required; a part of a configuration is a `Partial<ProducerConfig>`.
 * @since 0.1.0
 */
export type ProducerConfig = ClientProperties & ProducerProperties & Brokers

/**
 * The configuration of a consumer, as `ProducerConfig`. `subscribe` and commits need a `group.id`; `assign` does not.
 * @since 0.1.0
 */
export type ConsumerConfig = ClientProperties & MemberProperties & ConsumerProperties & Brokers

/**
 * The configuration of a share consumer, as `ProducerConfig`; `group.id` is required. What a share group decides on the
 * brokers (`auto.offset.reset`, `session.timeout.ms` and others) is not part of it.
 * @since 0.1.0
 */
export type ShareConsumerConfig = ClientProperties & MemberProperties & ShareConsumerProperties & Brokers

/**
 * The configuration of an administrator, as `ProducerConfig`.
 * @since 0.1.0
 */
export type AdminConfig = ClientProperties & Brokers

/**
 * What every client takes: brokers, encryption, authentication, time limits. For settings that several clients share.
 * @since 0.1.0
 */
export type ClientConfig = AdminConfig

/**
 * Properties that `parseProperties` has read. The text is taken to name the brokers; the clients' constructors check
 * that, and everything else.
 * @since 0.1.0
 */
export type ParsedProperties = Record<string, string> &
  (
    | { 'metadata.broker.list': string; 'bootstrap.servers'?: string }
    | { 'bootstrap.servers': string; 'metadata.broker.list'?: string }
  )

/**
 * What `envConfig` has read: for every kind of client. The environment is taken to name the brokers; the clients'
 * constructors check that. A share consumer needs its `group.id` beside it.
 * @since 0.1.0
 */
export type EnvConfig = ClientProperties &
  ProducerProperties &
  MemberProperties &
  ConsumerProperties &
  Omit<ShareConsumerProperties, 'group.id'> &
  Brokers
