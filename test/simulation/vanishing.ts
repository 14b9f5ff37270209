/** Brokers that lose their connections without a word, as when their power fails: whoever waits for an answer waits in vain. */
import { BROKERS, type World } from './world.ts'

/** Between two losses, virtual ms. */
const PAUSE_MS = { least: 5000, most: 40_000 } as const
const SEEDS = 0.3

/** In some seeds, until a moment. */
export async function vanishNowAndThen(world: World, until: number): Promise<void> {
  const dice = world.simulation.dice('vanishing')
  if (!dice.chance(SEEDS)) return
  // Who has not used a connection since then notices it at any time.
  world.expectSilence(false)
  for (;;) {
    await world.nextAct(dice.int(PAUSE_MS.least, PAUSE_MS.most))
    if (world.now >= until) return
    const broker = `broker-${dice.int(1, BROKERS)}`
    const count = world.simulation.network.vanish(broker)
    world.note(`VANISHES ${count} connections of ${broker}`)
  }
}
