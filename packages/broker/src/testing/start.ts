/** Clusters of a test's own. */
import { EmbeddedCluster } from '../cluster.ts'
import type { EmbeddedClusterOptions } from '../options.ts'
import { callsOf, type ClusterAccess } from './access.ts'
import { register, type RunnerHooks } from './runner-hooks.ts'
import { TestCluster, type TestClusterParts } from './test-cluster.ts'
import { defaultTimeoutMs, realTime, type Time } from './time.ts'
import type { TestTopics } from './topics.ts'

/**
 * The options of a test cluster: those of an embedded one, with topics and a deadline.
 * @since 0.1.0
 */
export interface TestClusterOptions extends EmbeddedClusterOptions {
  /** The topics that it has from the start. */
  readonly topics?: TestTopics
  /** Deadline of waits that have none of their own, ms; `OTTLA_TEST_TIMEOUT_MS` or 4000 by default. */
  readonly timeoutMs?: number
}

/**
 * A cluster for the tests of this file, or of the suite in whose body this is called: the test runner starts it before the
 * first of them and closes it after the last, once no client is connected any more: hooks that close clients may come
 * later. Ports are free ones, so that files can run side by side, and no process is
 * kept alive by it.
 *
 * ```ts
 * const cluster = testCluster({ topics: { orders: { partitions: 3 } } }, { beforeAll, afterAll })
 * ```
 * Hooks need not be passed where they are global, as in Jest, Mocha, Bun and in Vitest with `globals`, nor with
 * `node --test`. Without hooks the cluster starts when it is first awaited.
 * @since 0.1.0
 */
export function testCluster(options: TestClusterOptions = {}, hooks?: RunnerHooks): TestCluster {
  const cluster = new TestCluster(ownParts(options))
  register(cluster, hooks)
  return cluster
}

/**
 * Starts a cluster for a single test, or for a runner without hooks: `await using cluster = await startTestCluster()`.
 * Rejects with Error for an invalid option, a port in use, and topics or messages that brokers would refuse.
 * @since 0.1.0
 */
export function startTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  return new TestCluster(ownParts(options)).start()
}

// Virtual ms: a minute of it takes no time, and a storm delays a client for seconds.
const SIMULATED_TIMEOUT_MS = 60_000

/**
 * The helpers for the cluster of a simulation (`@ottla/broker/simulation`), in its virtual time.
 *
 * ```ts
 * await simulate({ seed: 7 }, async simulation => {
 *   const cluster = await simulatedCluster(simulation, { topics: ['orders'] })
 * })
 * ```
 * Rejects with Error for topics and messages that brokers would refuse.
 * @param options.timeoutMs - virtual ms; a minute by default
 * @since 0.1.0
 */
export function simulatedCluster(
  simulation: { readonly cluster: EmbeddedCluster; sleep(ms: number): Promise<void> },
  { topics = [], timeoutMs = SIMULATED_TIMEOUT_MS }: Pick<TestClusterOptions, 'topics' | 'timeoutMs'> = {},
): Promise<TestCluster> {
  const time: Time = {
    timer: ms => ({ due: simulation.sleep(ms), cancel: () => undefined }),
  }
  // The simulation closes its cluster itself.
  const open = (): Promise<ClusterAccess> => Promise.resolve(accessTo(simulation.cluster, () => Promise.resolve()))
  return new TestCluster({ open, time, topics, timeoutMs, prefix: '' }).start()
}

function ownParts({ topics = [], timeoutMs, ...options }: TestClusterOptions): TestClusterParts {
  return {
    open: async () => {
      const cluster = await EmbeddedCluster.start({ unref: true, ...options })
      return accessTo(cluster, () => cluster.close())
    },
    time: realTime,
    topics,
    timeoutMs: timeoutMs ?? defaultTimeoutMs(),
    prefix: '',
  }
}

function accessTo(embedded: EmbeddedCluster, close: () => Promise<void>): ClusterAccess {
  return {
    // Brokers may move.
    get bootstrapServers() {
      return embedded.bootstrapServers
    },
    embedded,
    calls: callsOf(embedded),
    close,
  }
}
