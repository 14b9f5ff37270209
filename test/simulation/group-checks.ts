/** What is promised of a group that nobody joins or leaves any more. */
import type { World } from './world.ts'

const LIMIT_MS = 120_000
/** By then the sessions of those that have crashed are over, and the group rests. */
const SETTLED_MS = 90_000
/** For so long it then has to stay as it is. */
const STABLE_MS = 60_000

export interface StableMember {
  readonly name: string
  readonly assigned: readonly number[]
  /** When partitions were last assigned or given up, virtual ms. */
  readonly rebalancedAt: number
}

/** Nobody comes or goes: nothing moves, and everyone has about the same. */
export async function checkStable(world: World, members: readonly StableMember[], partitions: number): Promise<void> {
  await world.sleep(SETTLED_MS)
  const since = world.now
  await world.sleep(STABLE_MS)
  for (const { name, rebalancedAt } of members) {
    if (rebalancedAt > since) world.complain(`${name} had a rebalance though nobody came or left`)
  }
  const assigned = members.map(member => member.assigned)
  const all = assigned.flat().sort((a, b) => a - b)
  const words = members.map(({ name }, i) => `${name}: ${assigned[i]?.join(' ')}`).join(', ')
  if (all.length !== partitions || all.some((partition, i) => partition !== i))
    world.complain(`${partitions} partitions are assigned as ${words}`)
  const counts = assigned.map(({ length }) => length)
  if (Math.max(...counts) - Math.min(...counts) > 1) world.complain(`the group is not balanced: ${words}`)
}

/** Members that leave in peace say so. */
export async function checkLeft(world: World, groupId: string): Promise<void> {
  const admin = world.admin('admin')
  const [group] = (await world.settle(admin.describeConsumerGroups([groupId]), LIMIT_MS, 'describing the group')) ?? []
  const left = group?.members.length ?? 0
  if (left > 0) world.complain(`${left} members have left and are still in the group`)
  await world.settle(admin.close(), LIMIT_MS, 'closing the administration')
}

/** Where the partitions of a log end. */
export function endsOf(
  log: readonly { readonly partition: number; readonly offset: number }[],
  partitions: number,
): number[] {
  const ends = Array.from({ length: partitions }, () => 0)
  for (const { partition, offset } of log) ends[partition] = Math.max(ends[partition] ?? 0, offset + 1)
  return ends
}
