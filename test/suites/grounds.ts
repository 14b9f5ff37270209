/** Starts what a suite is run on, with the same surroundings on either ground. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brokerProperties, EmbeddedCluster } from '@ottla/broker'
import { startKafka } from '../harness/kafka.ts'
import type { Ground, RunningGround, Surroundings } from './suite.ts'

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
    config,
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
