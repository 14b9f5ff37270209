/** The ids of a cluster's brokers, from the options. */
import type { EmbeddedClusterOptions } from './options.ts'

const MAX_BROKERS = 100
const MAX_ID = 2_147_483_647

/** Throws RangeError or Error for ids that cannot be. */
export function brokerIds({ brokers, firstBrokerId, brokerIds: given }: EmbeddedClusterOptions): number[] {
  if (given !== undefined && firstBrokerId !== undefined) {
    throw new Error('firstBrokerId cannot be combined with brokerIds')
  }
  const count = brokers ?? given?.length ?? 1
  if (!Number.isInteger(count) || count < 1 || count > MAX_BROKERS) {
    throw new RangeError(`brokers is ${count}; it must be a whole number from 1 to ${MAX_BROKERS}`)
  }
  const ids = given ?? Array.from({ length: count }, (_, i) => (firstBrokerId ?? 1) + i)
  if (ids.length !== count) throw new Error(`brokerIds has ${ids.length} ids for ${count} brokers`)
  for (const [at, id] of ids.entries()) {
    checkBrokerId(id)
    if (ids.indexOf(id) < at) throw new Error(`there are two brokers with id ${id}`)
  }
  return [...ids]
}

/** Throws RangeError. */
export function checkBrokerId(id: number): void {
  if (Number.isInteger(id) && id >= 0 && id <= MAX_ID) return
  throw new RangeError(`broker id ${id}: it must be a whole number from 0 to ${MAX_ID}`)
}
