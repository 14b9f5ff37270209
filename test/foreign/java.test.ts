import { java } from './programs.ts'
import { foreignScenarios } from './scenarios.ts'

foreignScenarios({
  name: "Kafka's Java client",
  codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
  groups: [
    ['classic', 'range'],
    ['classic', 'roundrobin'],
    ['classic', 'sticky'],
    ['classic', 'cooperative-sticky'],
    ['consumer', 'uniform'],
    ['consumer', 'range'],
  ],
  hasIdempotence: true,
  staticMembers: ['classic', 'consumer'],
  hasShareGroups: true,
  ridesOutBrokerLoss: true,
  start: java,
})
