// kafkajs's helpers, where they need their own surroundings: its brokers have fixed ports, and its scripts call Docker.
'use strict'
const original = require('original:testHelpers/index.js')
const { Kafka } = require('original:index.js')

const brokersOf = listener => () => process.env[`SPECS_${listener}`].split(',')
const plainTextBrokers = brokersOf('PLAIN')

async function withAdmin(work) {
  const admin = new Kafka({ clientId: 'testHelpers', brokers: plainTextBrokers() }).admin()
  await admin.connect()
  try {
    await work(admin)
  } finally {
    await admin.disconnect()
  }
}

function createCluster(options = {}, brokers = plainTextBrokers()) {
  const cluster = original.createCluster(options, brokers)
  if (process.env.SPECS_CLIENT !== 'facade') return cluster
  return require('./of-cluster.cjs').remember(cluster, { ...original.connectionOpts(), ...options, brokers })
}

module.exports = {
  ...original,
  plainTextBrokers,
  sslBrokers: brokersOf('SSL'),
  saslBrokers: brokersOf('SASL'),
  createCluster,
  createTopic: ({ topic, partitions = 1, replicas = 1, config = [] }) =>
    withAdmin(admin =>
      admin.createTopics({
        waitForLeaders: true,
        topics: [{ topic, numPartitions: partitions, replicationFactor: replicas, configEntries: config }],
      }),
    ),
  addPartitions: ({ topic, partitions }) =>
    withAdmin(admin => admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] })),
}
