/** A coordinator that forgets who is in its group, as after an unclean election: every member has to join again. */
import { BROKERS, type World } from './world.ts'

/** Between two losses, virtual ms. */
const PAUSE_MS = { least: 5000, most: 40_000 } as const
const SEEDS = 0.3

/**
 * In some seeds, until a moment.
 * @param onForgotten - called each time
 */
export async function forgetNowAndThen(
  world: World,
  group: string,
  until: number,
  onForgotten: () => void = () => undefined,
): Promise<void> {
  const dice = world.simulation.dice('forgetting')
  if (!dice.chance(SEEDS)) return
  for (;;) {
    await world.nextAct(dice.int(PAUSE_MS.least, PAUSE_MS.most))
    if (world.now >= until) return
    const id = dice.int(1, BROKERS)
    world.note(`FORGETS broker-${id} coordinates ${group}, and knows none of its members`)
    world.cluster.setCoordinator('group', group, id, { forgets: true })
    onForgotten()
  }
}
