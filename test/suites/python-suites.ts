/** The suites of Python's clients. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pyTests, type PythonSuite } from './python.ts'
import { withAuthorizer, type ForeignSuite } from './suite.ts'

const kafkaPythonSource: PythonSuite = {
  name: 'kafka-python',
  version: '3.0.7',
  needs: ['pytest-mock', 'py', 'lz4', 'zstandard', 'python-snappy', 'crc32c'],
  tests: 'test',
}

export const kafkaPython: ForeignSuite = {
  name: kafkaPythonSource.name,
  version: kafkaPythonSource.version,
  source: 'PyPI kafka-python; github.com/dpkp/kafka-python, test/integration',
  surroundings: { brokers: 1, config: { 'num.partitions': '4', ...withAuthorizer } },
  leftOut: 'tests of SASL and TLS, which run on a broker only that they start themselves',
  reasons: {
    'test.integration.test_admin_integration: test_create_partitions': 'wants a broker with the id 0',
  },
  run({ bootstrapServers }, run) {
    // KAFKA_ROOT has to be there, and is not used with KAFKA_URI.
    const env = { KAFKA_VERSION: '4.3.1', KAFKA_URI: `kafka://${bootstrapServers}`, KAFKA_ROOT: tmpdir() }
    const others = [
      '--ignore=test/integration/test_ssl_integration.py',
      '--ignore=test/integration/test_sasl_integration.py',
    ]
    return pyTests(kafkaPythonSource, run, ['--timeout=120', ...others, 'test/integration'], env)
  },
}

const aiokafkaSource: PythonSuite = {
  name: 'aiokafka',
  version: '0.14.0',
  needs: ['pytest-asyncio', 'pytest-mock', 'cramjam', 'async-timeout'],
  tests: 'tests',
}

export const aiokafka: ForeignSuite = {
  name: aiokafkaSource.name,
  version: aiokafkaSource.version,
  source: 'PyPI aiokafka; github.com/aio-libs/aiokafka, tests',
  surroundings: { brokers: 1, config: { 'num.partitions': '2', 'group.min.session.timeout.ms': '6000' } },
  leftOut:
    'tests of SASL and TLS, which want a Kerberos server and listeners of a container, and those without a cluster',
  reasons: {
    'tests.test_consumer.TestConsumerIntegration: test_kip_345_enabled':
      'does not wait until the first member has taken over its assignment; played alone, it fails in 2 of 20 runs here, and in 1 of 6 on Kafka',
  },
  run({ bootstrapServers }, run) {
    const env = { OTTLA_BROKER: bootstrapServers, PYTHONPATH: fileURLToPath(new URL('aiokafka', import.meta.url)) }
    const args = [
      '--docker-image=kafka:4.3.1',
      '--no-pull',
      '--timeout=300',
      '-k',
      '(Integration or TestAdmin or TestSender) and not ssl and not sasl',
      'tests',
    ]
    return pyTests(aiokafkaSource, run, args, env, ({ folder }) => {
      mkdirSync(join(folder, 'tests', 'ssl_cert'))
      // Makes keys for the Kerberos server that there is none of.
      writeFileSync(join(folder, 'ktutil'), '#!/bin/sh\n', { mode: 0o755 })
    })
  },
}

const confluentSource: PythonSuite = {
  name: 'confluent-kafka',
  version: '2.15.0',
  needs: [
    ...[
      'trivup',
      'pytest-asyncio',
      'attrs',
      'cachetools',
      'httpx',
      'authlib',
      'requests',
      'avro',
      'fastavro',
      'jsonschema',
    ],
    ...['protobuf', 'googleapis-common-protos', 'pyrsistent', 'referencing', 'orjson', 'psutil'],
  ],
  tests: 'tests',
}

export const confluentKafkaPython: ForeignSuite = {
  name: 'confluent-kafka-python',
  version: confluentSource.version,
  source: 'PyPI confluent-kafka; github.com/confluentinc/confluent-kafka-python, tests/integration',
  surroundings: {
    brokers: 1,
    // As its own tests start brokers; the first as this harness starts Kafka, the second Kafka's default.
    config: {
      'min.insync.replicas': '1',
      'group.min.session.timeout.ms': '6000',
      'group.share.record.lock.duration.ms': '1000',
      'group.share.min.record.lock.duration.ms': '1000',
      ...withAuthorizer,
    },
  },
  leftOut: 'tests of the schema registry and of SASL, which want servers besides',
  reasons: {
    'tests.integration.admin.test_incremental_alter_configs':
      'a setting that brokers are started with was described as a default; mended after this run, and the test passes when played alone',
  },
  run({ bootstrapServers }, run) {
    const others = ['schema_registry', 'serialization', 'share_consumer_oauth', 'share_consumer_sasl']
    const args = [
      ...others.map(folder => `--ignore=tests/integration/${folder}`),
      ...['-k', 'not schema_registry and not sasl'],
      '--timeout=300',
      'tests/integration',
    ]
    return pyTests(confluentSource, run, args, { BROKERS: bootstrapServers })
  },
}
