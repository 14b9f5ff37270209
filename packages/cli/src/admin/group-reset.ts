import { ErrorCode, KafkaError, type AdminClient, type OffsetSpec, type TopicPartition } from 'ottla'
import { collect, integer } from '../terminal/parsers.ts'
import type { Column } from '../terminal/table.ts'
import { UsageError } from '../terminal/terminal.ts'
import { parseDuration, parseTime, parseTopicPartitions } from './arguments.ts'
import { lines, option, verb, type AdminContext, type AdminSession } from './session.ts'

interface ResetOptions {
  readonly topic: readonly string[]
  readonly allTopics?: boolean
  readonly toEarliest?: boolean
  readonly toLatest?: boolean
  readonly toCurrent?: boolean
  readonly toOffset?: number
  readonly toDatetime?: string
  readonly byDuration?: string
  readonly shiftBy?: number
  readonly execute?: boolean
  readonly dryRun?: boolean
}

/** The target of a reset. */
export type ResetGoal =
  | { readonly to: 'earliest' | 'latest' | 'current' }
  | { readonly to: 'offset'; readonly offset: number }
  | { readonly to: 'time'; readonly timestamp: number }
  | { readonly to: 'shift'; readonly by: number }

/** The state of one partition before a reset. */
export interface ResetFacts extends TopicPartition {
  /** null if nothing is committed. */
  readonly committed: number | null
  readonly earliest: number
  readonly latest: number
  /** Offset of the first record at or after the target time; -1 if there is none. */
  readonly atTime: number
}

/** The change of one partition by a reset. */
export interface ResetStep extends TopicPartition {
  readonly from: number | null
  readonly to: number
}

export function addReset(groups: AdminContext): void {
  const options = [
    option('-t, --topic <topic>', 'TOPIC or TOPIC:0,3; repeatable', collect, []),
    option('--all-topics', 'all partitions with a committed offset'),
    option('--to-earliest', 'to the first record'),
    option('--to-latest', 'to the end'),
    option('--to-current', 'to the committed offset or, without one, the end'),
    option('--to-offset <offset>', 'to this offset, or the nearest end of the log', integer(0)),
    option('--to-datetime <time>', 'to the first record at or after this time: ms, or 2026-11-23T08:00:00Z'),
    option('--by-duration <duration>', 'to the first record of this last period: P1D, PT2H30M'),
    option('--shift-by <number>', 'this many records forward, or backward with -N', integer(Number.MIN_SAFE_INTEGER)),
    option('--dry-run', 'show the change; the default'),
    option('--execute', 'make the change'),
  ]
  verb<ResetOptions>(
    groups,
    'reset <group>',
    'Reset the committed offsets of a group without members; without --execute, only show the change',
    options,
    async (session, given, [group = '']) => {
      const goal = goalOf(given)
      if ((given.allTopics === true) === given.topic.length > 0)
        throw new UsageError('name topics with -t, or give --all-topics')
      if (given.execute === true && given.dryRun === true) throw new UsageError('give --dry-run or --execute, not both')
      given.topic.forEach(parseTopicPartitions)
      const client = await session.connect()
      await refuseMembers(client, session, group)
      const partitions = await partitionsOf(client, session, group, given)
      const steps = (await factsOf(client, session, group, partitions, goal)).map(facts => planReset(facts, goal))
      await finish(client, session, group, steps, given.execute === true)
    },
  )
}

async function finish(
  client: AdminClient,
  session: AdminSession,
  group: string,
  steps: readonly ResetStep[],
  execute: boolean,
): Promise<void> {
  const columns = [
    { title: 'topic', cell: s => s.topic },
    { title: 'partition', cell: s => s.partition, right: true },
    { title: 'from', cell: s => s.from ?? '-', right: true },
    { title: 'to', cell: s => s.to, right: true },
  ] satisfies Column<ResetStep>[]
  if (!execute) {
    session.emit({ group, dryRun: true, offsets: steps }, () => lines(steps, columns, 'nothing is committed'))
    session.note('nothing changed; run again with --execute to apply')
    return
  }
  const wanted = steps.map(({ topic, partition, to }) => ({ topic, partition, offset: to }))
  const results = wanted.length === 0 ? [] : await client.alterConsumerGroupOffsets(group, wanted, session.limits)
  const errors = results.map(r => r.error)
  const outcomes = steps.map((step, i) => ({ ...step, ...(errors[i] === undefined ? {} : { error: errors[i] }) }))
  session.emit({ group, dryRun: false, offsets: outcomes }, () =>
    lines(
      outcomes.filter(s => s.error === undefined),
      columns,
      steps.length === 0 ? 'nothing is committed' : undefined,
    ),
  )
  session.reportErrors(errors)
}

/** The broker would refuse the reset as well, with an error that does not say why. */
async function refuseMembers(client: AdminClient, session: AdminSession, group: string): Promise<void> {
  const [described] = await client.describeConsumerGroups([group], session.limits)
  const error = described?.error
  // A group need not exist yet.
  if (error !== undefined && error.code !== ErrorCode.ERR_GROUP_ID_NOT_FOUND) throw error
  if (described === undefined || described.members.length === 0) return
  const count = described.members.length === 1 ? 'a member' : `${described.members.length} members`
  throw new KafkaError(
    ErrorCode.ERR_NON_EMPTY_GROUP,
    `group '${group}' has ${count}: stop ${described.members.length === 1 ? 'it' : 'them'} first`,
  )
}

async function partitionsOf(
  client: AdminClient,
  session: AdminSession,
  group: string,
  given: ResetOptions,
): Promise<TopicPartition[]> {
  if (given.allTopics === true) {
    const committed = await client.listConsumerGroupOffsets(group, undefined, session.limits)
    return committed.map(({ topic, partition }) => ({ topic, partition }))
  }
  // A topic without partitions means all of them, committed or not.
  const asked = given.topic.map(parseTopicPartitions)
  const whole = asked.filter(t => t.partitions === undefined).map(t => t.topic)
  const described = whole.length === 0 ? [] : await client.describeTopics(whole, session.limits)
  for (const { error } of described) if (error !== undefined) throw error
  return asked.flatMap(({ topic, partitions }) => {
    const all = described.find(d => d.topic === topic)?.partitions.map(p => p.partition) ?? []
    return (partitions ?? all).map(partition => ({ topic, partition }))
  })
}

async function factsOf(
  client: AdminClient,
  session: AdminSession,
  group: string,
  partitions: readonly TopicPartition[],
  goal: ResetGoal,
): Promise<ResetFacts[]> {
  if (partitions.length === 0) return []
  const ask = async (spec: OffsetSpec): Promise<number[]> => {
    const found = await client.listOffsets(partitions.map(p => ({ ...p, spec })), session.limits) // prettier-ignore
    for (const { error } of found) if (error !== undefined) throw error
    return found.map(f => f.offset)
  }
  const [committed, earliest, latest, atTime] = await Promise.all([
    client.listConsumerGroupOffsets(group, partitions, session.limits),
    ask('earliest'),
    ask('latest'),
    goal.to === 'time' ? ask({ timestamp: goal.timestamp }) : [],
  ])
  return partitions.map((partition, i) => {
    const offset = committed[i]?.offset ?? -1
    return {
      ...partition,
      committed: offset < 0 ? null : offset,
      earliest: earliest[i] ?? 0,
      latest: latest[i] ?? 0,
      atTime: atTime[i] ?? -1,
    }
  })
}

/** The change of one partition; the target is kept within the log. */
export function planReset(facts: ResetFacts, goal: ResetGoal): ResetStep {
  const { topic, partition, committed, earliest, latest, atTime } = facts
  const within = (offset: number): ResetStep => {
    return { topic, partition, from: committed, to: Math.min(Math.max(offset, earliest), latest) }
  }
  switch (goal.to) {
    case 'earliest':
      return within(earliest)
    case 'latest':
      return within(latest)
    case 'current':
      return within(committed ?? latest)
    case 'offset':
      return within(goal.offset)
    case 'time':
      return within(atTime < 0 ? latest : atTime)
    case 'shift':
      if (committed !== null) return within(committed + goal.by)
      throw new UsageError(`${topic} [${partition}]: cannot shift, nothing is committed`)
    default:
      return goal satisfies never
  }
}

/** @throws UsageError unless exactly one goal is given */
export function goalOf(given: Omit<ResetOptions, 'topic'>, now = Date.now()): ResetGoal {
  const goals: ResetGoal[] = []
  if (given.toEarliest === true) goals.push({ to: 'earliest' })
  if (given.toLatest === true) goals.push({ to: 'latest' })
  if (given.toCurrent === true) goals.push({ to: 'current' })
  if (given.toOffset !== undefined) goals.push({ to: 'offset', offset: given.toOffset })
  if (given.toDatetime !== undefined) goals.push({ to: 'time', timestamp: parseTime(given.toDatetime) })
  if (given.byDuration !== undefined) goals.push({ to: 'time', timestamp: now - parseDuration(given.byDuration) })
  if (given.shiftBy !== undefined) goals.push({ to: 'shift', by: given.shiftBy })
  const [goal] = goals
  if (goal === undefined || goals.length > 1) {
    throw new UsageError(
      'give exactly one of --to-earliest, --to-latest, --to-current, --to-offset, --to-datetime, --by-duration, --shift-by',
    )
  }
  return goal
}
