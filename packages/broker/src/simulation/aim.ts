/** The moment at which a fault does most harm: while something is on its way. */
import type { Dice } from './dice.ts'
import type { MemoryNetwork } from './memory-network.ts'
import type { VirtualTime } from './virtual-time.ts'

/** Something is on its way from one host to another. */
export interface Aim {
  readonly from: string
  readonly to: string
}

/** Some messages go by first. */
const MOST_SKIPPED = 20
/** So little may be sent, or nothing at all. */
const LIMIT_MS = 1000
/** While it is on its way, while it is being answered, or a little later. */
const longestDelaysMs = [0.5, 5, 50] as const

/** Resolves when something is on its way; null: nothing has been for a while. */
export async function nextOnItsWay(time: VirtualTime, network: MemoryNetwork, dice: Dice): Promise<Aim | null> {
  let left = dice.int(0, MOST_SKIPPED)
  const delayMs = dice.next() * dice.pick(longestDelaysMs)
  const aim = await new Promise<Aim | null>(resolve => {
    const settle = (found: Aim | null): void => {
      end()
      timer.cancel()
      resolve(found)
    }
    const end = network.observe({
      onSent: (from, to) => {
        if (left-- === 0) settle({ from, to })
      },
    })
    const timer = time.setTimer(LIMIT_MS, () => settle(null))
  })
  if (aim !== null) await time.sleep(delayMs)
  return aim
}
