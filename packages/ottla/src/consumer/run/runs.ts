import { Deadline } from '../../base/clock.ts'
import type { ClientContext } from '../../cluster/context.ts'
import type { RunningJobs } from '../read/running-jobs.ts'
import type { Mailbox } from '../read/mailbox.ts'
import type { Reader } from '../read/reader.ts'
import { BatchRunner } from './batch-runner.ts'
import type { AssignedPartitions } from './hooks.ts'
import type { RunnerHost } from './host.ts'
import type { BatchRunOptions, RunOptions } from './options.ts'
import { PartitionStreams, type PartitionStreamsOptions } from './partition-streams.ts'
import { Runner } from './runner.ts'

// The part of the time for closing that handlers get: the rest is for the commit, and for leaving the group.
const DRAIN_PART = 3 / 4

/** What a runner needs, from the parts of a consumer. */
function runnerHost<K, V>(
  context: ClientContext,
  reader: Reader<K, V>,
  mailbox: Mailbox,
  ownership: AssignedPartitions,
  runningJobs: RunningJobs,
  group: { readonly isParked: boolean } | null,
): RunnerHost<K, V> {
  const { client, clock, random, settings, logger } = context
  return {
    client,
    clock,
    random,
    reader,
    runningJobs,
    wake: () => mailbox.wake(),
    hook: hooks => (ownership.hooks = hooks),
    commit: cursors => ownership.commitStored(Deadline.after(clock, settings['socket.timeout.ms']), cursors),
    commitsItself: settings['enable.auto.commit'],
    commitIntervalMs: settings['auto.commit.interval.ms'],
    longestDrainMs: () =>
      Math.min(settings['max.poll.interval.ms'], (ownership.closesAt?.left() ?? Infinity) * DRAIN_PART),
    isParked: () => group?.isParked ?? false,
    mostBytes: settings['queued.max.messages.kbytes'] * 1024,
    partitions: () => ownership.size,
    hold: cursor => ownership.hold(cursor),
    unhold: cursor => ownership.unhold(cursor),
    rewindTo: (...place) => ownership.rewindTo(...place),
    warn: error => logger.warning('RUN', `${error.name}: ${error.message}`),
  }
}

/** Starts the runs and partition streams of one consumer. */
export class Runs<K, V> {
  readonly #host: RunnerHost<K, V>
  readonly #requireOpen: () => void

  /** @param requireOpen throws when the consumer is closed */
  constructor(requireOpen: () => void, ...parts: Parameters<typeof runnerHost<K, V>>) {
    this.#requireOpen = requireOpen
    this.#host = runnerHost(...parts)
  }

  run(options: RunOptions<K, V> | BatchRunOptions<K, V>): Promise<void> {
    return this.#host.runningJobs.trackWaiters(() => this.#run(options))
  }

  partitions(options: PartitionStreamsOptions): PartitionStreams<K, V> {
    this.#requireOpen()
    return new PartitionStreams(this.#host, options)
  }

  async #run(options: RunOptions<K, V> | BatchRunOptions<K, V>): Promise<void> {
    this.#requireOpen()
    const runner = isBatchRun(options) ? new BatchRunner(this.#host, options) : new Runner(this.#host, options)
    await runner.run()
  }
}

function isBatchRun<K, V>(options: RunOptions<K, V> | BatchRunOptions<K, V>): options is BatchRunOptions<K, V> {
  const given: unknown = options
  return typeof given === 'object' && given !== null && 'batchHandler' in given
}
