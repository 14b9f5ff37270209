/** The suites that can be run, each with what its clients expect of a cluster. */
import { goModule, goTests } from './go.ts'
import { librdkafka } from './librdkafka.ts'
import { aiokafka, confluentKafkaPython, kafkaPython } from './python-suites.ts'
import { sarama } from './sarama.ts'
import type { ForeignSuite } from './suite.ts'

const FRANZ_GO = 'v1.22.3'
const KAFKA_GO = 'v0.4.51'

const franzGo: ForeignSuite = {
  name: 'franz-go',
  version: FRANZ_GO,
  source: 'Go module github.com/twmb/franz-go, package kgo',
  surroundings: { brokers: 3, config: { 'group.share.max.share.sessions': '2000' } },
  reasons: {},
  async run({ bootstrapServers }, { log }) {
    const folder = await goModule('github.com/twmb/franz-go', FRANZ_GO)
    // 500,000 records by default, which take minutes on two cores.
    const env = { KGO_SEEDS: bootstrapServers, KGO_TEST_RECORDS: '50000' }
    return goTests({ folder, packages: ['./pkg/kgo'], env, flags: ['-timeout', '60m'], log })
  },
}

const kafkaGo: ForeignSuite = {
  name: 'kafka-go',
  version: KAFKA_GO,
  source: 'Go module github.com/segmentio/kafka-go, package kafka',
  surroundings: { brokers: 1, port: 9092, config: { 'message.max.bytes': '200000000' } },
  reasons: {
    'kafka-go: TestConn/test_delete_topics':
      'reading the partitions of a deleted topic creates it again, which a broker of Kafka answers before it has done so',
  },
  async run(_ground, { log }) {
    const folder = await goModule('github.com/segmentio/kafka-go', KAFKA_GO)
    // As its own CI: those tests of Go's for connections do not fit a broker.
    const env = { KAFKA_VERSION: '4.3.1', KAFKA_SKIP_NETTEST: '1' }
    return goTests({ folder, packages: ['.'], env, flags: ['-timeout', '30m'], log })
  },
}

export const suites: readonly ForeignSuite[] = [
  franzGo,
  kafkaGo,
  kafkaPython,
  aiokafka,
  sarama,
  ...librdkafka,
  confluentKafkaPython,
]
