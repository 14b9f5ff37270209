/** node-rdkafka's spec files: those of public behaviour, which run, and those that only know its internals, which cannot. */

export const publicSpecs: readonly string[] = [
  ...['admin', 'both', 'consumer', 'groups', 'producer', 'producer-transaction'].map(name => `e2e/${name}`),
  ...['kafka-consumer', 'producer'].map(name => `test/${name}`),
].map(path => `${path}.spec.js`)

export const internalSpecs: readonly (readonly [path: string, what: string])[] = [
  ['test/binding', 'the native addon'],
  ['test/consumer', 'the native addon'],
  ['test/error', 'a file that loads the error codes'],
  ['test/index', 'a file that loads the package'],
  ['test/kafka-consumer-stream', 'a class, with a mocked client'],
  ['test/producer-stream', 'a class, with a mocked client'],
  ['test/producer/high-level-producer', 'a class, of which a function is replaced'],
  ['test/topic-partition', 'a class'],
  ['test/util', 'a function'],
  ['test/tools/ref-counter', 'a class'],
]
