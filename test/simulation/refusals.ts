/** Brokers that refuse single requests, as real ones do now and then. */
import type { FaultInput } from '@ottla/broker'
import { BROKERS, type World } from './world.ts'

const MOST_IN_A_ROW = 2

export interface Refusals {
  /** The key of the API. */
  readonly api: number
  /** What such a request may get. */
  readonly faults: readonly FaultInput[]
  /** Between two of them on average, virtual ms; Infinity: none come. */
  readonly everyMs: number
}

/** Until a moment, virtual ms. */
export async function refuseNowAndThen(world: World, { api, faults, everyMs }: Refusals, until: number): Promise<void> {
  if (everyMs === Infinity) return
  const dice = world.simulation.dice('refusals')
  while (world.now < until) {
    await world.work(dice.int(1, 2 * everyMs))
    const next = Array.from({ length: dice.int(1, MOST_IN_A_ROW) }, () => dice.pick(faults))
    world.cluster.failNextOn(dice.int(1, BROKERS), api, next)
  }
  world.cluster.clearFaults()
}
