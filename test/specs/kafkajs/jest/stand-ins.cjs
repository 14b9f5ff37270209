// What stands in for the modules behind kafkajs's public API, when its specs run with the facade: by their paths in the
// checkout, the text of a module.
'use strict'
const { join } = require('path')

const ofCluster = JSON.stringify(join(__dirname, 'of-cluster.cjs'))
const exported = name => `module.exports = require('the-facade')${name === '' ? '' : `.${name}`}\n`

exports.standIns = {
  'index.js': exported(''),
  'src/index.js': exported('Kafka'),
  'src/producer/index.js': `module.exports = require(${ofCluster}).createProducer\n`,
  'src/consumer/index.js': `module.exports = require(${ofCluster}).createConsumer\n`,
  'src/admin/index.js': `module.exports = require(${ofCluster}).createAdmin\n`,
  'src/errors.js': `module.exports = { ...require('original:src/errors.js'), ...require('the-facade') }\n`,
  'src/consumer/assignerProtocol.js': exported('AssignerProtocol'),
  'src/consumer/assigners/roundRobinAssigner/index.js': exported('PartitionAssigners.roundRobin'),
  'src/producer/partitioners/legacy/index.js': exported('Partitioners.LegacyPartitioner'),
  'src/protocol/message/compression/index.js': `
const { CompressionTypes: Types, CompressionCodecs: Codecs } = require('the-facade')
module.exports = { ...require('original:src/protocol/message/compression/index.js'), Types, Codecs }
`,
  'src/protocol/aclOperationTypes.js': exported('AclOperationTypes'),
  'src/protocol/aclPermissionTypes.js': exported('AclPermissionTypes'),
  'src/protocol/aclResourceTypes.js': exported('AclResourceTypes'),
  'src/protocol/configResourceTypes.js': exported('ConfigResourceTypes'),
  'src/protocol/configSource.js': exported('ConfigSource'),
  'src/protocol/resourcePatternTypes.js': exported('ResourcePatternTypes'),
}

/** The name of its file. */
exports.fileName = path => `${path.replace(/\W/g, '-')}.cjs`
