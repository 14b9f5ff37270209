/** Brokers that lose their connections without a word, as when their power fails: whoever waits for an answer waits in vain. */
import { BROKERS, type World } from './world.ts'

/** Between two losses, virtual ms. */
const PAUSE_MS = { least: 5000, most: 40_000 } as const
const SEEDS = 0.3
/** A member that waits for all others to join waits so long for an answer that does not come; virtual ms. */
const JOIN_MS = 60_000

/** Whether the seed is one of those. */
function vanishes(world: World): boolean {
  return world.simulation.dice('vanishing, or not').chance(SEEDS)
}

/** `max.poll.interval.ms` of classic members: the usual one is longer than calm. */
export function joinLimitMs(world: World): number | undefined {
  return vanishes(world) ? JOIN_MS : undefined
}

/** In some seeds, until a moment. @param onVanished is told of each loss */
export async function vanishNowAndThen(world: World, until: number, onVanished?: () => void): Promise<void> {
  if (!vanishes(world)) return
  const dice = world.simulation.dice('vanishing')
  // Who has not used a connection since then notices it at any time.
  world.expectSilence(false)
  for (;;) {
    await world.nextAct(dice.int(PAUSE_MS.least, PAUSE_MS.most))
    if (world.now >= until) return
    const broker = `broker-${dice.int(1, BROKERS)}`
    const count = world.simulation.network.vanish(broker)
    world.note(`VANISHES ${count} connections of ${broker}`)
    onVanished?.()
  }
}
