// The rooms and who may import whom; ARCHITECTURE.md has the picture. Type imports count.
'use strict'

const inside = (name, rooms) => `^packages/${name}/src/(${rooms})`

/** A rule: `from` imports nothing of the project but `only` (and itself). */
function room(name, from, only, comment) {
  return {
    name,
    comment,
    severity: 'error',
    from: { path: from },
    to: { path: '^(packages|test|tools|examples|bench)/', pathNot: [from, ...only] },
  }
}

const protocol = '^packages/protocol/src/index\\.ts$'
const ottla = '^packages/ottla/src/index\\.ts$'
const registry = '^packages/schema-registry/src/(embedded/)?index\\.ts$'
const broker = '^packages/broker/src/((simulation|testing)/)?index\\.ts$'
const cli = '^packages/cli/src/index\\.ts$'
const kafkajs = '^packages/kafkajs/src/index\\.ts$'
const rdkafka = '^packages/node-rdkafka/src/(index|parts)\\.ts$'
const opentelemetry = '^packages/opentelemetry/src/index\\.ts$'
const prometheus = '^packages/prometheus/src/index\\.ts$'
const confluent = '^packages/kafka-javascript/src/index\\.ts$'

// Open to every room of the client: the contract's types, the error class, the serializers, the layout of the statistics.
const contract = inside('ottla', 'types|offsets|topic|statistics|errors|error-traits|serdes|version')
const base = inside('ottla', 'base/')
const config = inside('ottla', 'config/')
const observe = inside('ottla', 'observe/')
const network = inside('ottla', 'network/')
const cluster = inside('ottla', 'cluster/')
const below = [protocol, contract, base, config, observe]

// The rooms of the consumer, each with those that it stands on; only the ground floor, where a Consumer is put together, knows
// nearly all of them. What programs pass (arguments.ts) every room may check.
const consumerRooms = {
  partition: [],
  fetch: ['partition'],
  read: ['partition', 'fetch'],
  group: ['partition', 'read'],
  offsets: ['partition', 'fetch', 'group'],
  run: ['partition', 'read'],
  insight: ['partition', 'fetch', 'read', 'group'],
  share: ['fetch', 'read', 'group', 'run', 'insight'],
}

// The rooms of the producer, each with those that it stands on; the ground floor knows all of them.
const producerRooms = {
  queue: [],
  report: ['queue'],
  idempotence: ['queue'],
  send: ['queue', 'report', 'idempotence'],
  transaction: ['queue', 'idempotence'],
}

// The rooms of the broker, each with those that it stands on; only the root, where all is put together, knows every room.
const stores = ['groups', 'transactions', 'security', 'quotas', 'telemetry', 'releases']
const brokerRooms = {
  base: [],
  log: ['base'],
  configs: ['base'],
  control: ['base'],
  releases: [],
  security: ['base'],
  quotas: ['base'],
  telemetry: ['base'],
  topics: ['base', 'log', 'configs'],
  replication: ['base', 'log', 'topics'],
  groups: ['base', 'topics'],
  transactions: ['base', 'topics', 'groups'],
  storage: ['base', 'log', 'topics', 'groups', 'transactions'],
  handlers: ['base', 'log', 'configs', 'topics', 'replication', ...stores],
  server: ['base', 'topics', 'security', 'quotas', 'control', 'handlers'],
}

// The rooms of the command: one for each subcommand, above what they share.
const cliRooms = {
  terminal: [],
  client: ['terminal', ottla, registry],
  registry: ['terminal', registry],
  broker: ['terminal', broker],
  ...Object.fromEntries(
    ['produce', 'consume', 'meta', 'query', 'bench', 'admin'].map(name => [name, ['terminal', 'client', ottla]]),
  ),
  listen: ['terminal', protocol],
  ...Object.fromEntries(['record', 'replay'].map(name => [name, ['terminal', 'client', 'listen', protocol, ottla]])),
  demo: ['terminal', 'client', 'broker', ottla, broker],
}

// The rooms of the package that stands in for kafkajs: types and errors below, then what translates, then the clients.
const facade = inside('kafkajs', 'types/|errors\\.ts$|enums\\.ts$')
const facadeRooms = {
  observe: [facade],
  translate: [facade, inside('kafkajs', 'observe/'), protocol, ottla],
  ...Object.fromEntries(
    ['producer', 'consumer', 'admin'].map(name => [
      name,
      [facade, inside('kafkajs', 'observe/|translate/'), protocol, ottla],
    ]),
  ),
}

// The rooms of the package that stands in for node-rdkafka: types below, then what translates, then the clients.
const rdkafkaContract = inside('node-rdkafka', 'types/')
const rdkafkaRooms = {
  translate: [rdkafkaContract, ottla],
  ...Object.fromEntries(
    ['producer', 'consumer', 'admin'].map(name => [
      name,
      [rdkafkaContract, inside('node-rdkafka', 'translate/|client\\.ts$'), ottla],
    ]),
  ),
}

// The rooms of the package that stands in for Confluent's: types and enums below, then RdKafka, then KafkaJS.
const confluentContract = inside('kafka-javascript', 'types/|enums\\.ts$')
const confluentRooms = {
  rdkafka: [confluentContract, rdkafka, ottla],
  kafkajs: [confluentContract, inside('kafka-javascript', 'rdkafka/'), rdkafka, ottla],
}

// The rooms of the schema registry's package: a format's codec knows nothing of registries, the client nothing of formats.
const registryContract = inside('schema-registry', '(errors|types)\\.ts$')
const registryRooms = {
  avro: [],
  protobuf: [],
  json: [],
  infer: [],
  client: [],
  serdes: ['avro', 'protobuf', 'json', 'client', 'infer'],
  embedded: ['avro', 'protobuf', 'json'],
}

const codec = inside('protocol', 'api|wire/')
const compression = inside('protocol', 'compression/')

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      // An error carries its delivery report and a report its error: these two types are one subject in two files.
      comment: 'type imports count',
      severity: 'error',
      from: {},
      to: { circular: true, via: { pathNot: inside('ottla', '(errors|types)\\.ts$') } },
    },
    {
      name: 'not-resolved',
      comment:
        'an import that leads nowhere escapes every other rule; programs that are copied to where their packages are do not count',
      severity: 'error',
      from: { pathNot: ['^test/package/kafkajs-packages/', '^test/specs/kafkajs/jest/'] },
      to: { couldNotResolve: true },
    },

    room(
      'protocol-wire',
      inside('protocol', 'wire/'),
      [inside('protocol', 'api\\.ts')],
      'bytes know nothing above them',
    ),
    room('protocol-generated', inside('protocol', 'generated/'), [codec], 'codecs stand on wire/ alone'),
    room('protocol-compression', compression, [codec], 'compression stands on wire/ alone'),
    room(
      'protocol-record',
      inside('protocol', 'record/'),
      [codec, compression, inside('protocol', 'generated/(end-txn-marker|control-record-type-schema)\\.ts')],
      'records stand on compression/ and wire/',
    ),
    room(
      'protocol-capture',
      inside('protocol', 'capture/'),
      [codec, compression, inside('protocol', 'record/|generated/')],
      'what was captured is read by the codecs of messages and records',
    ),
    room('protocol-otlp', inside('protocol', 'otlp/'), [codec], 'metrics know nothing of Kafka'),
    room('protocol-alone', '^packages/protocol/src/', [], 'the protocol stands alone'),
    {
      name: 'protocol-is-bytes',
      comment: 'no sockets, timers or processes in the protocol',
      severity: 'error',
      from: { path: '^packages/protocol/src/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(buffer|zlib|module|path|util)$' },
    },

    room('ottla-contract', contract, [protocol], 'what every room may import may itself import only the protocol'),
    room('ottla-base', base, [contract], 'base/ knows nothing of Kafka'),
    room('ottla-config', config, [base, contract, protocol], 'config/ is a table'),
    room('ottla-observe', observe, [base, contract, protocol, config], 'observe/ stands on base/ and config/'),
    room('ottla-network', network, below, 'connections know no topics, groups or producers'),
    room('ottla-cluster', cluster, [...below, network], 'routing knows no producer, consumer or admin'),
    ...['producer', 'consumer', 'admin'].map(name =>
      room(
        `ottla-${name}`,
        inside('ottla', `${name}/`),
        [...below, network, cluster],
        'producer, consumer and admin share values through types.ts, never each other',
      ),
    ),
    ...Object.entries(consumerRooms).map(([name, others]) =>
      room(
        `consumer-${name}`,
        inside('ottla', `consumer/${name}/`),
        [
          ...below,
          network,
          cluster,
          inside('ottla', 'consumer/arguments\\.ts$'),
          ...others.map(other => inside('ottla', `consumer/${other}/`)),
        ],
        'what is fetched is read; groups call the program through its reader; runs, insight and share groups stand on these',
      ),
    ),
    ...Object.entries(producerRooms).map(([name, under]) =>
      room(
        `ottla-producer-${name}`,
        inside('ottla', `producer/${name}/`),
        [...below, network, cluster, ...under.map(other => inside('ottla', `producer/${other}/`))],
        'the queue knows nobody; what is sent knows queues, reports and numbers, and no transactions',
      ),
    ),
    {
      name: 'no-index-inside',
      comment: 'index.ts is for users; inside a package an import names the file',
      severity: 'error',
      from: { path: '^packages/([^/]+)/src/' },
      to: { path: '^packages/$1/src/index\\.ts$' },
    },

    {
      name: 'packages-by-name',
      comment: "another package is imported by its name: a path would escape its package.json's exports",
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: { path: '^packages/', pathNot: '^packages/$1/', dependencyTypesNot: ['aliased-workspace'] },
    },
    room(
      'broker-protocol-only',
      '^packages/broker/src/',
      [protocol],
      "a client's mistake must not be mirrored by its test broker",
    ),
    ...Object.entries(brokerRooms).map(([name, below]) =>
      room(
        `broker-${name}`,
        inside('broker', `${name}/`),
        [protocol, ...below.map(other => inside('broker', `${other}/`))],
        'a store knows only what it stands on; handlers know the stores, the server the handlers, nobody the storage',
      ),
    ),
    room(
      'broker-simulation',
      inside('broker', 'simulation/'),
      [protocol, ...['base/', 'cluster\\.ts', 'options\\.ts'].map(path => inside('broker', path))],
      'a simulation runs a cluster as a user would',
    ),
    room(
      'broker-testing',
      inside('broker', 'testing/'),
      [
        protocol,
        ...['base/', 'cluster\\.ts', 'options\\.ts'].map(path => inside('broker', path)),
        inside('broker', '(groups/(group|status)|topics/(messages|writing)|releases/versions)\\.ts'),
      ],
      'the test companion runs a cluster as a user would, and names what it shows',
    ),
    room('registry-alone', '^packages/schema-registry/src/', [], 'schemas need no client and no broker'),
    ...Object.entries(registryRooms).map(([name, below]) =>
      room(
        `registry-${name}`,
        inside('schema-registry', `${name}/`),
        [registryContract, ...below.map(other => inside('schema-registry', `${other}/`))],
        "a format's codec knows nothing of registries, the client nothing of formats",
      ),
    ),
    room(
      'cli-public-only',
      '^packages/cli/src/',
      [protocol, ottla, broker, registry],
      'the command uses what users can use',
    ),
    ...Object.entries(cliRooms).map(([name, below]) =>
      room(
        `cli-${name}`,
        inside('cli', `${name}/`),
        below.map(other => (other.startsWith('^') ? other : inside('cli', `${other}/`))),
        'a subcommand knows what all share, never another; the demo runs on the embedded cluster',
      ),
    ),
    room('kafkajs-public-only', '^packages/kafkajs/src/', [protocol, ottla], 'it is a program of the client'),
    room('kafkajs-contract', facade, [], 'types and errors stand alone'),
    ...Object.entries(facadeRooms).map(([name, below]) =>
      room(
        `kafkajs-${name}`,
        inside('kafkajs', `${name}/`),
        below,
        'producer, consumer and admin share what translates, never each other',
      ),
    ),
    room('rdkafka-public-only', '^packages/node-rdkafka/src/', [ottla], 'it is a program of the client'),
    room('prometheus-public-only', '^packages/prometheus/src/', [ottla], 'it is a program of the client'),
    room('opentelemetry-public-only', '^packages/opentelemetry/src/', [ottla], 'it is a program of the client'),
    room('rdkafka-contract', rdkafkaContract, [], 'types stand alone'),
    ...Object.entries(rdkafkaRooms).map(([name, below]) =>
      room(
        `rdkafka-${name}`,
        inside('node-rdkafka', `${name}/`),
        below,
        'producer, consumer and admin share the client and what translates, never each other',
      ),
    ),
    room(
      'confluent-public-only',
      '^packages/kafka-javascript/src/',
      [rdkafka, ottla],
      'it is a program of the clients',
    ),
    room('confluent-contract', confluentContract, [rdkafka], 'types and enums know only those of the client beneath'),
    ...Object.entries(confluentRooms).map(([name, below]) =>
      room(`confluent-${name}`, inside('kafka-javascript', `${name}/`), below, 'KafkaJS stands on RdKafka'),
    ),
    room('examples-public-only', '^examples/', [protocol, ottla, broker, registry], 'examples use what users can use'),
    room(
      'tests-public-only',
      '^test/(?!golden/|tooling/)',
      [protocol, ottla, broker, cli, kafkajs, rdkafka, opentelemetry, prometheus, confluent, registry],
      'what crosses packages uses their public entry points',
    ),
    {
      name: 'source-not-tests',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: { path: '(^|/)test/|^tools/' },
    },
    {
      name: 'published-dependencies',
      comment: 'published code may import only what its package.json names as a dependency',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'undetermined'],
        // The tests have it from the root.
        dependencyTypesNot: ['npm-peer'],
      },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@ottla/source', 'import', 'node', 'default', 'types'],
    },
  },
}
