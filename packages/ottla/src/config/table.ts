/** The one table of all properties, and the types that follow from it. */
import { commonProperties } from './common.ts'
import { consumerProperties } from './consumer.ts'
import { producerProperties } from './producer.ts'
import type { HostPort, Property, ValueOf } from './property.ts'
import { securityProperties } from './security.ts'

export const properties = {
  ...commonProperties,
  ...securityProperties,
  ...consumerProperties,
  ...producerProperties,
} as const

/** Aliases of properties. */
export const aliases = {
  'bootstrap.servers': 'metadata.broker.list',
  'max.in.flight': 'max.in.flight.requests.per.connection',
  'sasl.mechanism': 'sasl.mechanisms',
  'sasl.oauthbearer.client.credentials.client.id': 'sasl.oauthbearer.client.id',
  'sasl.oauthbearer.client.credentials.client.secret': 'sasl.oauthbearer.client.secret',
  'max.partition.fetch.bytes': 'fetch.message.max.bytes',
  'linger.ms': 'queue.buffering.max.ms',
  retries: 'message.send.max.retries',
  'compression.type': 'compression.codec',
  acks: 'request.required.acks',
  'delivery.timeout.ms': 'message.timeout.ms',
} as const satisfies Record<string, keyof typeof properties>

export type PropertyName = keyof typeof properties
export type AliasName = keyof typeof aliases

type Table = typeof properties
type Values<T extends Record<string, Property>> = { readonly [K in keyof T]: ValueOf<T[K]> }

type AliasValues = { readonly [A in AliasName]: ValueOf<Table[(typeof aliases)[A]]> }

/**
 * The configuration as the client uses it: every key present, defaults filled in, aliases equal to their properties.
 */
export type Settings = Values<Table> & AliasValues
export type CommonSettings = Settings
export type ProducerSettings = Settings
export type ConsumerSettings = Settings
export type AdminSettings = Settings
export type { HostPort }
