/** Confluent's spec files: those of public behaviour, which run, and those that only know its internals, which cannot. */

const files = {
  admin: [
    'create_topics',
    'delete_groups',
    'delete_topic_records',
    'dependent_client',
    'describe_groups',
    'fetch_offsets',
    'fetch_topic_metadata',
    'fetch_topic_offsets',
    'fetch_topic_offsets_by_timestamp',
    'list_groups',
    'list_topics',
    'statsCallback',
  ],
  consumer: [
    'commit',
    'consumeMessages',
    'consumerCacheTests',
    'consumerTransactions',
    'groupInstanceId',
    'incrementalRebalance',
    'pause',
    'pauseSeekResume',
    'rebalanceCallback',
    'seek',
    'statsCallback',
    'subscribe',
  ],
  producer: [
    'concurrentSend',
    'concurrentTransaction',
    'eos',
    'flush',
    'idempotentProduceMessage',
    'producingToInvalidTopic',
    'statsCallback',
  ],
}

export const publicSpecs: readonly string[] = [
  ...Object.entries(files).flatMap(([folder, names]) => names.map(name => `${folder}/${name}`)),
  'oauthbearer_cb',
].map(path => `test/promisified/${path}.spec.js`)

export const internalSpecs: readonly (readonly [path: string, what: string])[] = [
  ['unit/cache', 'a class'],
  ['unit/common', 'a class'],
  ['unit/logger', 'a mocked client'],
]
