import type { Command } from 'commander'
import { Consumer, KafkaError, Producer } from 'ottla'
import { firstContact } from '../client/connect.ts'
import { explain } from '../client/explain.ts'
import { addClusterOptions, clientLogger, clusterProperties, type ClusterOptions } from '../client/options.ts'
import { parseCredentials } from '../terminal/parsers.ts'
import { DONE, FAILED, note, type Terminal } from '../terminal/terminal.ts'
import { consumeSteps } from './consume-steps.ts'
import { Narrator } from './narrator.ts'
import { produceSteps } from './produce-steps.ts'
import type { DemoStage } from './stage.ts'
import { embeddedWorld, givenWorld, type DemoWorld } from './world.ts'

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
    .description('See a producer and a consumer at work, on an embedded cluster or with -b on your own')
    .option('--alice <user:password>', 'who produces', 'alice:alicepassword')
    .option('--bob <user:password>', 'who consumes', 'bob:bobpassword')
    .option('--topic <topic>', 'with -b: a topic that alice may write and create; a new one by default')
    .option('--forbidden <topic>', 'with -b: a topic that alice may not write')
  addClusterOptions(command).action(async (options: DemoOptions) => {
    exit(await demo(options, terminal))
  })
}

async function demo(options: DemoOptions, terminal: Terminal): Promise<number> {
  const narrator = new Narrator(terminal.stdout)
  const world = await openWorld(options, terminal, narrator)
  const clients: (Producer | Consumer)[] = []
  const logger = clientLogger(terminal, options)
  const stage: DemoStage = {
    world,
    narrator,
    producer: properties => keep(new Producer({ ...world.alice, ...properties }, { logger })),
    consumer: properties => keep(new Consumer({ ...world.bob, ...properties }, { logger })),
  }
  const closeAll = (): Promise<unknown> => Promise.all(clients.map(client => client.close(5000)))
  // Closing what a step waits for ends the wait.
  const onStop = (): void => void closeAll().catch(() => undefined) // done again, and awaited, below
  const timer = setTimeout(onStop, TIME_LIMIT_MS)
  terminal.stop.addEventListener('abort', onStop, { once: true })
  try {
    await firstContact(stage.producer())
    await produceSteps(stage)
    await consumeSteps(stage)
  } catch (error) {
    // Interrupted: whatever the closed clients say to that is of no interest.
    if (terminal.stop.aborted) return FAILED
    if (!(error instanceof KafkaError)) throw error
    narrator.check(`the story goes on to its end: ${explain(error)}`, false)
  } finally {
    clearTimeout(timer)
    terminal.stop.removeEventListener('abort', onStop)
    await closeAll()
    await world.close()
  }
  return conclude(narrator)

  function keep<T extends Producer | Consumer>(client: T): T {
    clients.push(client)
    return client
  }
}

async function openWorld(options: DemoOptions, terminal: Terminal, narrator: Narrator): Promise<DemoWorld> {
  const alice = parseCredentials(options.alice, '--alice')
  const bob = parseCredentials(options.bob, '--bob')
  const properties = clusterProperties(options)
  narrator.title('ottla demo: producer alice, consumer bob, SASL_PLAINTEXT with PLAIN')
  if (properties['bootstrap.servers'] !== undefined) {
    const world = givenWorld(properties, alice, bob, options.topic, options.forbidden)
    narrator.title(`your cluster: ${world.bootstrapServers}`)
    return world
  }
  const world = await embeddedWorld(alice, bob, () => {
    if (options.quiet !== true) note(terminal, 'ports 9093 to 9095 are taken: using free ones')
  })
  narrator.title(`three brokers of an embedded cluster: ${world.bootstrapServers}`)
  return world
}

function conclude(narrator: Narrator): number {
  const { failed } = narrator
  narrator.title('')
  if (failed.length === 0) {
    narrator.title('Everything held.')
    return DONE
  }
  narrator.title(`${failed.length} of the claims did not hold:`)
  for (const claim of failed) narrator.say(`✗ ${claim}`)
  return FAILED
}
