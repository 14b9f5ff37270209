/** The strategies on which the members of a classic group can agree, by name. */
import { ErrorCode, Reader, Writer } from '@ottla/protocol'
import { KafkaError } from '../../../errors.ts'
import type { TopicPartition } from '../../../types.ts'
import { byTopic } from '../member-metadata.ts'
import type { Assign, Assigned, GroupMember, PartitionAssignor } from './assignor.ts'
import { assignRange } from './range.ts'
import { assignRoundRobin } from './roundrobin.ts'
import { assignSticky, withoutMoving } from './sticky.ts'

/** What a member had before it joined. */
export interface Previous {
  readonly partitions: readonly TopicPartition[]
  /** -1 for none. */
  readonly generationId: number
}

export interface Strategy {
  readonly name: string
  readonly isCooperative: boolean
  readonly assign: PartitionAssignor['assign']
  /** What a member adds to its subscription. */
  readonly userData: (topics: readonly string[], previous: Previous) => Buffer | null
}

const nothing = (): null => null

const builtIn: readonly Strategy[] = [
  { name: 'range', isCooperative: false, assign: assignRange, userData: nothing },
  { name: 'roundrobin', isCooperative: false, assign: assignRoundRobin, userData: nothing },
  {
    name: 'sticky',
    isCooperative: false,
    // A member gives everything up before it joins: what it had goes into the user data.
    assign: (members, topics) => assignSticky(members.map(withPrevious), topics),
    userData: (_topics, previous) => encodePrevious(previous),
  },
  {
    name: 'cooperative-sticky',
    isCooperative: true,
    assign: assignSticky,
    // Members before Kafka 3.2 have their generation here.
    userData: (_topics, previous) => int32(previous.generationId),
  },
]

/**
 * The strategies of `partition.assignment.strategy`, in its order.
 * @param own the application's assignors
 * @throws KafkaError ERR__INVALID_ARG for an unknown name or an invalid assignor
 */
export function strategiesOf(names: readonly string[], own: readonly PartitionAssignor[]): Strategy[] {
  const known = new Map(builtIn.map(strategy => [strategy.name, strategy]))
  for (const assignor of own) {
    const { name, isCooperative = false, assign, userData } = assignor
    if (typeof name !== 'string' || name === '' || typeof assign !== 'function') {
      throw invalid('assignors: each needs a name and an assign function')
    }
    if (known.has(name)) throw invalid(`assignors: there already is a strategy '${name}'`)
    known.set(name, { name, isCooperative, assign, userData: topics => userData?.(topics) ?? null })
  }
  return names.map(name => {
    const strategy = known.get(name)
    if (strategy !== undefined) return strategy
    const all = [...known.keys()].join(', ')
    throw invalid(`partition.assignment.strategy: '${name}' is unknown; known are ${all}`)
  })
}

/** Whether members keep their partitions while the group rebalances: only if every strategy can do that. */
export function isCooperative(strategies: readonly Strategy[]): boolean {
  return strategies.every(strategy => strategy.isCooperative)
}

/** As leader: what each member gets. Rejects with what an application's own assignor throws. */
export async function computeAssignment(
  strategy: Strategy,
  members: readonly GroupMember[],
  topics: Parameters<Assign>[1],
): Promise<Assigned> {
  const assignment = await strategy.assign(members, topics)
  return strategy.isCooperative ? withoutMoving(members, assignment) : assignment
}

function withPrevious(member: GroupMember): GroupMember {
  const { userData } = member
  if (userData === null || userData.length === 0) return member
  try {
    const { partitions, generationId } = decodePrevious(userData)
    return { ...member, ownedPartitions: partitions, generationId }
  } catch {
    // Another client's format: what the member had is unknown.
    return member
  }
}

function encodePrevious({ partitions, generationId }: Previous): Buffer | null {
  if (partitions.length === 0) return null
  const w = new Writer()
  const topics = byTopic(partitions)
  w.int32(topics.length)
  for (const { topic, partitions: numbers } of topics) {
    w.string(topic, false)
    w.int32(numbers.length)
    for (const number of numbers) w.int32(number)
  }
  w.int32(generationId)
  return Buffer.concat(w.finish())
}

function decodePrevious(bytes: Buffer): Previous {
  const r = new Reader(bytes)
  const partitions: TopicPartition[] = []
  for (let topics = r.int32(); topics > 0; topics--) {
    const topic = r.string(false)
    for (let count = r.int32(); count > 0; count--) partitions.push({ topic, partition: r.int32() })
  }
  // The first version ends here.
  return { partitions, generationId: r.remaining >= 4 ? r.int32() : -1 }
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value)
  return bytes
}

function invalid(message: string): KafkaError {
  return new KafkaError(ErrorCode.ERR__INVALID_ARG, message)
}
