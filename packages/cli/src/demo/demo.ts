import type { Command } from 'commander'
import { Consumer, KafkaError, Producer } from 'ottla'
import { firstContact } from '../client/connect.ts'
import { explain } from '../client/explain.ts'
import { addClusterOptions, clientOptions, clusterProperties, type ClusterOptions } from '../client/options.ts'
import { parseCredentials } from '../terminal/parsers.ts'
import { DONE, FAILED, note, type Terminal } from '../terminal/terminal.ts'
import { consumeSteps } from './consume-steps.ts'
import { Narrator } from './narrator.ts'
import { produceSteps } from './produce-steps.ts'
import type { DemoContext } from './context.ts'
import { startDemoCluster, existingDemoCluster, type DemoCluster } from './demo-cluster.ts'

interface DemoOptions extends ClusterOptions {
  readonly alice: string
  readonly bob: string
  readonly topic?: string
  readonly forbidden?: string
}

const TIME_LIMIT_MS = 120_000

export function addDemo(program: Command, terminal: Terminal, exit: (status: number) => void): void {
  const command = program
    .command('demo')
    .description('Watch a producer and a consumer work, on an embedded cluster or with -b on your own')
    .option('--alice <user:password>', 'the user who produces', 'alice:alicepassword')
    .option('--bob <user:password>', 'the user who consumes', 'bob:bobpassword')
    .option('--topic <topic>', 'with -b: a topic that alice may create and write to; a new one by default')
    .option('--forbidden <topic>', 'with -b: a topic that alice may not write to')
  addClusterOptions(command).action(async (options: DemoOptions) => {
    exit(await demo(options, terminal))
  })
}

async function demo(options: DemoOptions, terminal: Terminal): Promise<number> {
  const narrator = new Narrator(terminal.stdout)
  const shared = clientOptions(terminal, options)
  const cluster = await openCluster(options, terminal, narrator)
  const clients: (Producer | Consumer)[] = []
  const context: DemoContext = {
    cluster,
    narrator,
    producer: properties => keep(new Producer({ ...cluster.alice, ...properties }, shared)),
    consumer: properties => keep(new Consumer({ ...cluster.bob, ...properties }, shared)),
  }
  const closeAll = (): Promise<unknown> => Promise.all(clients.map(client => client.close(5000)))
  // Closing the clients ends whatever a step waits for.
  const onStop = (): void => void closeAll().catch(() => undefined) // closed again, and awaited, below
  const timer = setTimeout(onStop, TIME_LIMIT_MS)
  terminal.stop.addEventListener('abort', onStop, { once: true })
  try {
    await firstContact(context.producer())
    await produceSteps(context)
    await consumeSteps(context)
  } catch (error) {
    // Interrupted: errors of the closed clients do not matter.
    if (terminal.stop.aborted) return FAILED
    if (!(error instanceof KafkaError)) throw error
    narrator.check(`the demo runs to its end: ${explain(error)}`, false)
  } finally {
    clearTimeout(timer)
    terminal.stop.removeEventListener('abort', onStop)
    await closeAll()
    shared.record?.close()
    await cluster.close()
  }
  return conclude(narrator)

  function keep<T extends Producer | Consumer>(client: T): T {
    clients.push(client)
    return client
  }
}

async function openCluster(options: DemoOptions, terminal: Terminal, narrator: Narrator): Promise<DemoCluster> {
  const alice = parseCredentials(options.alice, '--alice')
  const bob = parseCredentials(options.bob, '--bob')
  const properties = clusterProperties(options)
  narrator.title('ottla demo: producer alice, consumer bob, SASL_PLAINTEXT with PLAIN')
  if (properties['bootstrap.servers'] !== undefined) {
    const cluster = existingDemoCluster(properties, alice, bob, options.topic, options.forbidden)
    narrator.title(`your cluster: ${cluster.bootstrapServers}`)
    return cluster
  }
  const cluster = await startDemoCluster(alice, bob, () => {
    if (options.quiet !== true) note(terminal, 'ports 9093 to 9095 are in use: using free ones')
  })
  narrator.title(`three brokers of an embedded cluster: ${cluster.bootstrapServers}`)
  return cluster
}

function conclude(narrator: Narrator): number {
  const { failed } = narrator
  narrator.title('')
  if (failed.length === 0) {
    narrator.title('All checks passed.')
    return DONE
  }
  narrator.title(`${failed.length} ${failed.length === 1 ? 'check' : 'checks'} failed:`)
  for (const claim of failed) narrator.say(`✗ ${claim}`)
  return FAILED
}
