/** What a share consumer says about itself: why nothing arrives, and what is wrong. */
import { ErrorCode } from '@ottla/protocol'
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { ClientInsight, connectionConditions, explainConnections, explainTopicError } from '../../cluster/insight.ts'
import { shareConsumerTelemetry } from '../../cluster/telemetry/sources.ts'
import { KafkaError } from '../../errors.ts'
import type { Condition } from '../../observe/health.ts'
import type { Statistics } from '../../statistics.ts'
import { forGood } from '../read/fatal.ts'
import type { RunningJobs } from '../read/running-jobs.ts'
import type { SharePhase } from './share-states.ts'

/** What everybody can see of it. */
export interface ExplainedShareConsumer {
  readonly closed: boolean
  subscription(): string[]
  assignment(): readonly unknown[]
}

// As for other consumers: what takes less is not worth a sentence.
const LONG_MS = 1000

export function shareInsight(
  context: ClientContext,
  cluster: Cluster,
  consumer: ExplainedShareConsumer,
  member: { readonly id: string; readonly phase: SharePhase },
  mailbox: { readonly fatal: KafkaError | null },
  reader: { readonly isPolling: boolean },
  runningJobs: RunningJobs,
  counted: { look(): Statistics },
): ClientInsight {
  const name = `The consumer (share group '${context.settings['group.id'] ?? ''}')`

  function* topics(): Iterable<string> {
    const { snapshot } = cluster.metadata
    for (const topic of consumer.subscription()) {
      const code = snapshot.topics.get(topic)?.errorCode ?? ErrorCode.ERR_NO_ERROR
      if (code === ErrorCode.ERR_NO_ERROR) continue
      yield `Topic ${topic} ${explainTopicError(code, 'read', KafkaError.of(code, 'metadata').message)}.`
    }
  }

  function membership(): Condition | null {
    const { phase } = member
    switch (phase) {
      case 'parked':
        return { code: 'poll-exceeded', message: `${name} has left the group (max.poll.interval.ms).` }
      case 'member':
        return null
      case 'out':
      case 'joining':
      case 'refused':
        return { code: 'joining', message: `${name} is not a member: it waits for the coordinator.` }
      default:
        return phase satisfies never
    }
  }

  function* conditions(): Iterable<Condition> {
    if (consumer.closed) yield { code: 'closed', message: 'The consumer is closed.' }
    else if (mailbox.fatal !== null) yield { code: 'fatal', message: forGood(mailbox.fatal) }
    else {
      yield* connectionConditions(cluster)
      for (const message of topics()) yield { code: 'topic', message }
      const left = consumer.subscription().length === 0 ? null : membership()
      if (left !== null) yield left
      const [slow] = runningJobs.longerThan(context.settings['ottla.partition.stall.ms'] || Infinity)
      if (slow !== undefined) {
        yield { code: 'slow-handler', message: `${slow.place.name}: ${runningJobs.describe(slow)}.`, since: slow.since }
      }
    }
  }

  function explain(): string[] {
    if (consumer.closed) return ['The consumer is closed.']
    if (mailbox.fatal !== null) return [`${forGood(mailbox.fatal)} Close it and make another one.`]
    const found = [...explainConnections(cluster)]
    if (consumer.subscription().length === 0) return [...found, 'Nothing is subscribed to: call subscribe.']
    const left = membership()
    found.push(...topics())
    if (left !== null) found.push(left.message)
    else if (consumer.assignment().length === 0)
      found.push(`${name} has no partition: the coordinator has assigned none.`)
    else if (!reader.isPolling) found.push('The application is not asking: no poll, iterator or run waits.')
    for (const job of runningJobs.longerThan(LONG_MS)) {
      found.push(`${job.place.name}: ${runningJobs.describe(job)}.`)
    }
    return found
  }

  cluster.telemetry.source = shareConsumerTelemetry(context.settings, () => member.id)
  return new ClientInsight(context, { conditions, explain, statistics: () => counted.look() })
}
