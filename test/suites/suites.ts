/** The suites that can be run, each with what its clients expect of a cluster. */
import { goModule, goTests } from './go.ts'
import { pyTests, pythonSource } from './python.ts'
import type { ForeignSuite } from './suite.ts'

const KAFKA_PYTHON = '3.0.12'
const FRANZ_GO = 'v1.22.3'
const KAFKA_GO = 'v0.4.51'

const franzGo: ForeignSuite = {
  name: 'franz-go',
  version: FRANZ_GO,
  source: 'Go module github.com/twmb/franz-go, package kgo',
  surroundings: { brokers: 3, config: { 'group.share.max.share.sessions': '2000' } },
  reasons: {},
  async run(bootstrapServers, log) {
    const folder = await goModule('github.com/twmb/franz-go', FRANZ_GO)
    // 500,000 records by default, which take minutes on two cores.
    const env = { KGO_SEEDS: bootstrapServers, KGO_TEST_RECORDS: '50000' }
    return goTests({ folder, packages: ['./pkg/kgo'], env, flags: ['-timeout', '30m'], log })
  },
}

const kafkaGo: ForeignSuite = {
  name: 'kafka-go',
  version: KAFKA_GO,
  source: 'Go module github.com/segmentio/kafka-go, package kafka',
  surroundings: { brokers: 1, port: 9092, config: { 'message.max.bytes': '200000000' } },
  reasons: {
    'kafka-go: TestConn/test_delete_topics':
      'reading the partitions of what was deleted creates it again; a broker answers before that is done, as a rule',
  },
  async run(_bootstrapServers, log) {
    const folder = await goModule('github.com/segmentio/kafka-go', KAFKA_GO)
    // As its own CI: those tests of Go's for connections do not fit a broker.
    const env = { KAFKA_VERSION: '4.3.1', KAFKA_SKIP_NETTEST: '1' }
    return goTests({ folder, packages: ['.'], env, flags: ['-timeout', '30m'], log })
  },
}

const kafkaPython: ForeignSuite = {
  name: 'kafka-python',
  version: KAFKA_PYTHON,
  source: 'PyPI kafka-python, test/integration',
  surroundings: { brokers: 1, config: { 'num.partitions': '4' } },
  reasons: {},
  async run(bootstrapServers, log) {
    const source = await pythonSource('kafka-python', KAFKA_PYTHON, [
      'pytest-timeout',
      'pytest-mock',
      'py',
      'lz4',
      'zstandard',
      'python-snappy',
      'crc32c',
    ])
    const env = { KAFKA_VERSION: '4.2.0', KAFKA_URI: `kafka://${bootstrapServers}` }
    return pyTests(source, ['--timeout=120', 'test/integration'], env, log)
  },
}

export const suites: readonly ForeignSuite[] = [franzGo, kafkaGo, kafkaPython]
