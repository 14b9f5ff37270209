/** Brokers that restart at once, so that nobody takes over: of each producer they know only the last batch again. */
import { BROKERS, type World } from './world.ts'

/** Between two restarts, virtual ms. */
const MOST_PAUSE_MS = 5000
const MOST_DOWN_MS = 300

/**
 * Until a moment, one after the other.
 * @param before - called with each broker before it goes down
 */
export async function restartNowAndThen(
  world: World,
  until: number,
  before: (broker: number) => Promise<void>,
): Promise<void> {
  const dice = world.simulation.dice('restarts')
  for (;;) {
    await world.nextAct(dice.int(1, MOST_PAUSE_MS))
    if (world.now >= until) return
    const id = dice.int(1, BROKERS)
    await before(id)
    world.note(`RESTARTS broker-${id}`)
    await world.cluster.brokerDown(id, { moveLeaders: false })
    await world.sleep(dice.int(1, MOST_DOWN_MS))
    await world.cluster.brokerUp(id)
  }
}
