/** Starts what a suite is run on, with the same surroundings on either ground. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brokerProperties, EmbeddedCluster } from '@ottla/broker'
import { startKafka } from '../harness/kafka.ts'
import type { Ground, RunningGround, Surroundings } from './suite.ts'

/**
 * Until Kafka's authorizer has read its ACLs, it lets super users only pass, and those on another controller are read
 * by asking it: controllers have a name of their own, because nobody else may be a super user where ACLs are tried.
 */
const namedControllers = {
  'super.users': 'User:controller',
  'listener.security.protocol.map': 'PLAIN:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:SASL_PLAINTEXT',
  'sasl.mechanism.controller.protocol': 'PLAIN',
  'listener.name.controller.sasl.enabled.mechanisms': 'PLAIN',
  'listener.name.controller.plain.sasl.jaas.config':
    'org.apache.kafka.common.security.plain.PlainLoginModule required username="controller" password="controller" user_controller="controller";',
}

/** How far below the ports that clients are told the embedded brokers listen. */
const BELOW = 10_000

export function startGround(ground: Ground, surroundings: Surroundings): Promise<RunningGround> {
  return ground === 'embedded' ? startEmbedded(surroundings) : startReal(surroundings)
}

async function startEmbedded(surroundings: Surroundings): Promise<RunningGround> {
  const { brokers, advertisedPort, rackPrefix, config = {} } = surroundings
  const port = advertisedPort === undefined ? undefined : advertisedPort - BELOW
  const cluster = await EmbeddedCluster.start({
    ...brokerProperties(config),
    brokers,
    ...(rackPrefix === undefined ? {} : { racks: Array.from({ length: brokers }, (_, i) => `${rackPrefix}${i + 1}`) }),
    ...(advertisedPort === undefined || port === undefined
      ? {}
      : { listeners: [{ name: 'PLAINTEXT', protocol: 'PLAINTEXT', port, advertisedPort }] }),
  })
  return {
    bootstrapServers:
      port === undefined
        ? cluster.bootstrapServers
        : Array.from({ length: brokers }, (_, i) => `127.0.0.1:${port + i}`).join(','),
    stopBroker: id => cluster.brokerDown(id),
    startBroker: id => cluster.brokerUp(id),
    // It has no log.
    logOf: () => '',
    close: () => cluster.close(),
  }
}

async function startReal(surroundings: Surroundings): Promise<RunningGround> {
  const { brokers, advertisedPort, rackPrefix, config = {} } = surroundings
  const cluster = await startKafka({
    brokers,
    config: brokers > 1 && 'authorizer.class.name' in config ? { ...config, ...namedControllers } : config,
    ...(advertisedPort === undefined ? {} : { advertisedPort }),
    ...(rackPrefix === undefined ? {} : { rackPrefix }),
  })
  const brokerOf = (id: number): (typeof cluster.brokers)[number] => {
    const broker = cluster.brokers.find(each => each.id === id)
    if (broker === undefined) throw new Error(`there is no broker ${id}`)
    return broker
  }
  return {
    bootstrapServers: cluster.bootstrapServers,
    stopBroker: id => brokerOf(id).stop(),
    startBroker: id => brokerOf(id).restart(),
    logOf: id => readFileSync(join(cluster.logFolder, `node${id}.log`), 'utf8'),
    close: () => cluster.close(),
  }
}
