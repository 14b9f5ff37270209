// The functions behind `kafka.producer` and the like, by the facade: kafkajs's specs hand a cluster of kafkajs to them.
'use strict'
const { Kafka, logLevel } = require('the-facade')

const READ_UNCOMMITTED = 0

/** In place of the one that a spec has not made yet. */
const noCluster = {}
const made = new WeakMap([[noCluster, { brokers: process.env.SPECS_PLAIN.split(',') }]])
const clients = new WeakMap()

/** Remembers what a cluster was made with. */
exports.remember = (cluster, options) => {
  made.set(cluster, options)
  return cluster
}

exports.createProducer = ({ cluster = noCluster, logger, instrumentationEmitter: _, ...options }) =>
  withCluster(kafkaOf(cluster, logger).producer({ ...fromCluster(cluster), ...options }), cluster)

exports.createConsumer = ({ cluster = noCluster, logger, isolationLevel, instrumentationEmitter: _, ...options }) => {
  const readUncommitted = (isolationLevel ?? cluster.isolationLevel) === READ_UNCOMMITTED
  const given = { ...fromCluster(cluster), readUncommitted, ...options }
  return withCluster(kafkaOf(cluster, logger).consumer(given), cluster)
}

exports.createAdmin = ({ cluster = noCluster, logger, instrumentationEmitter: _, ...options }) =>
  withCluster(kafkaOf(cluster, logger).admin(options), cluster)

/**
 * Specs ask brokers questions through the cluster that they have handed over: it is connected when the client is, and knows of
 * its topics.
 */
function withCluster(client, cluster) {
  const { connect, disconnect, subscribe } = client
  const ignored = () => undefined
  return Object.assign(client, {
    connect: async () => {
      await connect()
      await cluster.connect?.().catch(ignored)
      await cluster.refreshMetadataIfNecessary?.().catch(ignored)
    },
    disconnect: async () => {
      await disconnect()
      await cluster.disconnect?.().catch(ignored)
    },
    ...(subscribe && {
      subscribe: async subscription => {
        await subscribe(subscription)
        const topics = (subscription.topics ?? [subscription.topic]).filter(topic => typeof topic === 'string')
        await cluster.addMultipleTargetTopics?.(topics).catch(ignored)
      },
    }),
  })
}

/** Options that kafkajs hands to its cluster, and that are those of a producer or consumer. */
function fromCluster(cluster) {
  const { allowAutoTopicCreation, maxInFlightRequests, metadataMaxAge } = made.get(cluster) ?? {}
  const given = { allowAutoTopicCreation, maxInFlightRequests, metadataMaxAge }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

/** Clients of one cluster know of each other's commits, as those of one `Kafka`. */
function kafkaOf(cluster, logger) {
  const before = clients.get(cluster)
  if (before !== undefined) return before
  const {
    brokers = [],
    clientId,
    connectionTimeout,
    requestTimeout,
    enforceRequestTimeout,
    ssl,
    sasl,
    retry,
    ...rest
  } = made.get(cluster) ?? {}
  const { authenticationTimeout, reauthenticationThreshold } = rest
  const write = ({ namespace, label, log: { message, timestamp: _, logger: __, ...extra } }) =>
    logger?.namespace?.(namespace)?.[label.toLowerCase()]?.(message, extra)
  const kafka = new Kafka({
    brokers,
    clientId,
    connectionTimeout,
    authenticationTimeout,
    reauthenticationThreshold,
    requestTimeout,
    enforceRequestTimeout,
    ssl,
    sasl,
    retry,
    logLevel: logLevel.INFO,
    logCreator: () => write,
  })
  clients.set(cluster, kafka)
  return kafka
}
