import { kafkaStreamsScenarios } from '../behaviour/kafka-streams.ts'
import { startKafka } from '../harness/kafka.ts'

kafkaStreamsScenarios(() =>
  startKafka({
    brokers: 1,
    config: { 'group.streams.min.heartbeat.interval.ms': '100', 'group.streams.initial.rebalance.delay.ms': '0' },
  }),
)
