import { KafkaJsPeer } from './kafkajs.ts'
import { foreignScenarios } from './scenarios.ts'

foreignScenarios({
  name: 'KafkaJS',
  codecs: ['none', 'gzip'],
  groups: [['classic', 'roundrobin']],
  hasIdempotence: true,
  staticMembers: [],
  hasShareGroups: false,
  start: bootstrapServers => KafkaJsPeer.start(bootstrapServers),
})
