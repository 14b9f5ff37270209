import { franz } from './programs.ts'
import { foreignScenarios } from './scenarios.ts'

foreignScenarios({
  name: 'franz-go',
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
  // In the consumer protocol it leaves without saying which instance it is, which Kafka refuses too.
  staticMembers: ['classic'],
  hasShareGroups: true,
  ridesOutBrokerLoss: true,
  start: franz,
})
