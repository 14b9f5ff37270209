/** Decides how many partitions the internal topics of a Kafka Streams application have, and how many tasks there are. */
import { ErrorCode } from '@ottla/protocol'
import type { TopicRequest } from '../../topics/topics.ts'
import { GroupRefusal } from '../refusal.ts'
import {
  requiredTopics,
  sourcesOf,
  StreamsStatus,
  type InternalTopic,
  type StreamsTopology,
  type Subtopology,
} from './topology.ts'

/** A subtopology whose topics are known. */
export interface ConfiguredSubtopology {
  readonly subtopologyId: string
  /** Its tasks are numbered from 0. */
  readonly tasks: number
  readonly isStateful: boolean
  readonly sources: readonly string[]
  readonly subtopology: Subtopology
}

export interface ConfiguredTopology {
  /** Null if a topic of the application's own is missing, or has the wrong number of partitions. */
  readonly subtopologies: readonly ConfiguredSubtopology[] | null
  /** Partitions of internal topics. */
  readonly partitionCounts: ReadonlyMap<string, number>
  /** Internal topics that have to be created. */
  readonly missing: readonly TopicRequest[]
  /** Why no task can run yet; null if they can. */
  readonly problem: TopicProblem | null
}

export interface TopicProblem {
  readonly statusCode: number
  readonly statusDetail: string
}

/** How many partitions a topic has; undefined if there is none of the name. */
type PartitionsOf = (topic: string) => number | undefined

/** @throws GroupRefusal STREAMS_INVALID_TOPOLOGY */
export function configureTopology(topology: StreamsTopology, existing: PartitionsOf): ConfiguredTopology {
  const missingSources = missingSourceTopics(topology, existing)
  if (missingSources.length > 0) {
    return unusable(StreamsStatus.missingSourceTopics, `Source topics ${missingSources.join(', ')} are missing.`)
  }
  const counts = new Map<string, number>()
  // A topic that is to be created counts as if it were there.
  const partitionsOf: PartitionsOf = topic => existing(topic) ?? counts.get(topic)
  decideRepartitionTopics(topology, partitionsOf, counts)
  const problem = coPartition(topology, partitionsOf, counts)
  if (problem !== null) return unusable(StreamsStatus.incorrectlyPartitionedTopics, problem)
  const subtopologies = topology.subtopologies.map((each): ConfiguredSubtopology => {
    const sources = sourcesOf(each)
    const tasks = Math.max(0, ...sources.map(topic => partitionsOf(topic) ?? 0))
    if (tasks === 0) throw invalid(`No source topics found for subtopology ${each.subtopologyId}`)
    for (const { name } of each.stateChangelogTopics) counts.set(name, tasks)
    const isStateful = each.stateChangelogTopics.length > 0
    return { subtopologyId: each.subtopologyId, tasks, isStateful, sources, subtopology: each }
  })
  subtopologies.sort((a, b) => (a.subtopologyId < b.subtopologyId ? -1 : 1))
  const missing = new Map<string, TopicRequest>()
  for (const topic of internalTopics(topology)) {
    const wanted = topic.partitions || (counts.get(topic.name) ?? 0)
    const found = existing(topic.name)
    if (found === undefined) missing.set(topic.name, requestFor(topic, wanted))
    else if (found !== wanted) {
      const detail = `Existing topic ${topic.name} has different number of partitions: expected ${wanted}, found ${found}`
      return unusable(StreamsStatus.incorrectlyPartitionedTopics, detail)
    }
  }
  const names = [...missing.keys()].sort().join(', ')
  const lacks = {
    statusCode: StreamsStatus.missingInternalTopics,
    statusDetail: `Internal topics are missing: ${names}`,
  }
  return {
    subtopologies,
    partitionCounts: counts,
    missing: [...missing.values()],
    problem: missing.size === 0 ? null : lacks,
  }
}

/** Identifies the topics of an application and their partitions, so that a change of them is seen. */
export function topicsFingerprint(
  topology: StreamsTopology,
  topicOf: (name: string) => { readonly id: string; readonly partitions: readonly unknown[] } | undefined,
): string {
  const found = [...requiredTopics(topology)].sort().flatMap(name => {
    const topic = topicOf(name)
    return topic === undefined ? [] : [[name, topic.id, topic.partitions.length]]
  })
  return JSON.stringify(found)
}

function unusable(statusCode: number, statusDetail: string): ConfiguredTopology {
  return { subtopologies: null, partitionCounts: new Map(), missing: [], problem: { statusCode, statusDetail } }
}

function invalid(message: string): GroupRefusal {
  return new GroupRefusal(ErrorCode.ERR_STREAMS_INVALID_TOPOLOGY, message)
}

function missingSourceTopics({ subtopologies }: StreamsTopology, existing: PartitionsOf): string[] {
  const names = new Set(subtopologies.flatMap(({ sourceTopics }) => sourceTopics))
  return [...names].filter(name => existing(name) === undefined).sort()
}

function internalTopics({ subtopologies }: StreamsTopology): InternalTopic[] {
  return subtopologies.flatMap(each => [...each.repartitionSourceTopics, ...each.stateChangelogTopics])
}

function requestFor({ name, replicationFactor, topicConfigs }: InternalTopic, partitions: number): TopicRequest {
  const configs = new Map(topicConfigs.map(({ key, value }) => [key, value]))
  return { name, partitions, replicationFactor: replicationFactor === 0 ? -1 : replicationFactor, configs }
}

/** A repartition topic has as many partitions as the largest topic that the subtopology reads which writes it. */
function decideRepartitionTopics(
  { subtopologies }: StreamsTopology,
  partitionsOf: PartitionsOf,
  counts: Map<string, number>,
): void {
  for (const { repartitionSourceTopics } of subtopologies) {
    for (const { name, partitions } of repartitionSourceTopics) if (partitions !== 0) counts.set(name, partitions)
  }
  let open = true
  while (open) {
    open = false
    let hasDecided = false
    for (const subtopology of subtopologies) {
      for (const sink of subtopology.repartitionSinkTopics) {
        if (counts.has(sink)) continue
        const count = largestSource(subtopology, partitionsOf, counts)
        if (count === 0) open = true
        else {
          counts.set(sink, count)
          hasDecided = true
        }
      }
    }
    if (open && !hasDecided) {
      const why = 'There may be loops in the topology that cannot be resolved.'
      throw invalid(`Failed to compute number of partitions for all repartition topics. ${why}`)
    }
  }
  if (subtopologies.some(each => each.repartitionSourceTopics.some(({ name }) => !counts.has(name)))) {
    const why = 'because a repartition source topic is never used as a sink topic.'
    throw invalid(`Failed to compute number of partitions for all repartition topics, ${why}`)
  }
}

/** 0 while no topic of it is known. */
function largestSource(
  { sourceTopics, repartitionSourceTopics }: Subtopology,
  partitionsOf: PartitionsOf,
  counts: ReadonlyMap<string, number>,
): number {
  const inner = repartitionSourceTopics.map(({ name }) => counts.get(name) ?? 0)
  return Math.max(0, ...inner, ...sourceTopics.map(topic => partitionsOf(topic) ?? 0))
}

/** Gives topics that are joined the same number of partitions. @returns why that is impossible, or null */
function coPartition(
  { subtopologies }: StreamsTopology,
  partitionsOf: PartitionsOf,
  counts: Map<string, number>,
): string | null {
  const repartition = subtopologies.flatMap(each => each.repartitionSourceTopics)
  const fixed = new Set(repartition.filter(({ partitions }) => partitions !== 0).map(({ name }) => name))
  const all = new Set(repartition.map(({ name }) => name))
  for (const { sourceTopics, repartitionSourceTopics, copartitionGroups } of subtopologies) {
    for (const group of copartitionGroups) {
      const names = [
        ...group.sourceTopics.map(i => sourceTopics[i] ?? ''),
        ...group.repartitionSourceTopics.map(i => repartitionSourceTopics[i]?.name ?? ''),
      ]
      const problem = coPartitionTopics(new Set(names), fixed, all, partitionsOf, counts)
      if (problem !== null) return problem
    }
  }
  return null
}

function coPartitionTopics(
  names: ReadonlySet<string>,
  fixed: ReadonlySet<string>,
  repartition: ReadonlySet<string>,
  partitionsOf: PartitionsOf,
  counts: Map<string, number>,
): string | null {
  const inner = [...names].filter(name => repartition.has(name))
  const outer = [...names].filter(name => !repartition.has(name))
  // With any fixed number at all, as Kafka has it: those of other groups, too.
  const deciding = outer.length > 0 ? outer : [...fixed]
  const decided = deciding.map(name => partitionsOf(name) ?? 0)
  if (new Set(decided).size > 1) {
    const listed = (outer.length > 0 ? outer : inner).sort().map(name => `${name}=${partitionsOf(name) ?? 0}`)
    return `Following topics do not have the same number of partitions: [{${listed.join(', ')}}]`
  }
  const wanted = decided[0] ?? Math.max(0, ...inner.map(name => partitionsOf(name) ?? 0))
  for (const name of inner) {
    const own = partitionsOf(name)
    if (fixed.has(name) && own !== wanted) {
      return `Number of partitions [${own ?? 0}] of repartition topic [${name}] doesn't match number of partitions [${wanted}] of the source topic.`
    }
    counts.set(name, wanted)
  }
  return null
}
