import { KafkaJsPeer } from './kafkajs.ts'
import { foreignScenarios } from './scenarios.ts'

foreignScenarios({
  name: 'KafkaJS',
  codecs: ['none', 'gzip'],
  groups: [['classic', 'roundrobin']],
  hasIdempotence: true,
  staticMembers: [],
  hasShareGroups: false,
  // Half a minute passes before it asks where the leaders have gone.
  ridesOutBrokerLoss: false,
  start: bootstrapServers => KafkaJsPeer.start(bootstrapServers),
})
