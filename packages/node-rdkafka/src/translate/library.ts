/** What node-rdkafka says of the library beneath it. */

/** What the client can do, by librdkafka's names. */
export const features: string[] = [
  'gzip',
  'snappy',
  'ssl',
  'sasl',
  'regex',
  'lz4',
  'sasl_gssapi',
  'sasl_plain',
  'sasl_scram',
  'zstd',
  'sasl_oauthbearer',
  'http',
  'oidc',
]

/** The librdkafka whose properties and semantics these are; there is none beneath. */
export const librdkafkaVersion = '2.12.0'
