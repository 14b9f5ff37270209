/** Producers, and a group whose members come, leave and crash, and read in every way. */
import type { ConsumerConfig } from 'ottla'
import { Churn } from '../churn.ts'
import { forgetNowAndThen } from '../forgetting.ts'
import { checkLeft, checkStable, endsOf } from '../group-checks.ts'
import { Ledger } from '../ledger.ts'
import { Member } from '../member.ts'
import { checkLag } from '../offsets.ts'
import { vanishNowAndThen } from '../vanishing.ts'
import type { World } from '../world.ts'
import { checkReports, Writer } from '../writers.ts'

const TOPIC = 'orders'
const GROUP = 'shop'
const CALM_LIMIT_MS = 120_000

export async function groups(world: World): Promise<void> {
  const { dice, cluster } = world
  world.expectSilence()
  const partitions = dice.int(1, 6)
  cluster.createTopic(TOPIC, { partitions, replicationFactor: 3 })
  const isIdempotent = dice.chance(0.7)
  const protocol = dice.chance(0.4) ? 'consumer' : 'classic'
  const strategy = dice.pick(['range', 'roundrobin', 'cooperative-sticky'])
  const isManual = dice.chance(0.3)
  world.note(
    `${partitions} partitions, ${isIdempotent ? 'idempotent' : 'plain'}, ${protocol} ${strategy}, ${isManual ? 'commits by hand' : 'commits by itself'}`,
  )
  const isQuiet = dice.chance(0.25)
  if (isQuiet) world.note('quiet')
  const ledger = new Ledger(world, { group: GROUP, hasGenerations: protocol === 'classic', isQuiet })
  const watching = ledger.watch()
  const config: Partial<ConsumerConfig> =
    protocol === 'classic' ? { 'partition.assignment.strategy': strategy } : { 'group.protocol': 'consumer' }
  const leisureUntil = world.now + world.stormMs
  const settings = { group: GROUP, topic: TOPIC, protocol, config, isManual, ledger, leisureUntil } as const
  const churn = new Churn(world, 'member', name => new Member(world, name, settings), isQuiet ? 0 : undefined)
  const writers = Array.from(
    { length: world.some(1, 3) },
    (_, i) => new Writer(world, `writer-${i}`, TOPIC, isIdempotent),
  )
  churn.begin(world.some(1, 3))
  for (const writer of writers) writer.start(world.now + world.stormMs)
  if (isQuiet) await world.sleep(world.stormMs)
  else {
    const forgetting = forgetNowAndThen(world, GROUP, leisureUntil, () => ledger.forgotten())
    const vanishing = vanishNowAndThen(world, leisureUntil)
    await world.storm({
      everyMs: dice.pick([500, 1000, 3000, 10_000]),
      hosts: () => [...writers.map(writer => writer.name), ...churn.names],
      groups: [GROUP],
    })
    await forgetting
    await vanishing
  }
  await churn.settleDown()
  await Promise.all(writers.map(writer => writer.finish()))
  const log = cluster.messages(TOPIC).map(message => `${message.partition}:${message.offset}`)
  const missing = (): string[] => log.filter(place => !ledger.processed.has(place))
  await world.progress(
    'the group',
    CALM_LIMIT_MS,
    () => ledger.steps,
    () => {
      const left = missing()
      return left.length === 0
        ? null
        : `${left.length} of ${log.length} messages are not processed: ${left.slice(0, 5).join(' ')}; ${churn.lives.map(member => member.explain()).join('; ')}`
    },
  )
  checkReports(world, writers)
  await checkStable(world, churn.lives, partitions)
  await churn.end()
  ledger.stop()
  await watching
  ledger.check()
  // What a storm has kept from being committed by hand is not tried again.
  if (!isManual) checkLag(world, GROUP, TOPIC, endsOf(cluster.messages(TOPIC), partitions))
  if (isQuiet) await checkLeft(world, GROUP)
}
