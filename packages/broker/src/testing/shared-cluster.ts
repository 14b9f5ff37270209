/** One cluster for all test files of a run, in which each has names of its own. */
import { randomBytes } from 'node:crypto'
import type { ClusterAccess } from './access.ts'
import { callsOf } from './access.ts'
import { connectCalls, serveCalls, type ControlAddress } from './control-channel.ts'
import { register, type RunnerHooks } from './runner-hooks.ts'
import { startTestCluster, type TestClusterOptions } from './start.ts'
import { TestCluster } from './test-cluster.ts'
import { defaultTimeoutMs, realTime } from './time.ts'

/**
 * A cluster that the processes of a test run share.
 * @since 0.1.0
 */
export interface SharedCluster extends AsyncDisposable {
  readonly bootstrapServers: string
  /** Stops it. Not necessary at the end of a run: no process is kept alive by it. */
  close(): Promise<void>
}

/**
 * What a test file wants of a shared cluster.
 * @since 0.1.0
 */
export type SharedTestOptions = Pick<TestClusterOptions, 'topics' | 'timeoutMs'>

/** How worker processes learn of it: they inherit the environment of the runner's main process. */
const VARIABLE = 'OTTLA_TEST_CLUSTER'

interface Announcement extends ControlAddress {
  readonly bootstrapServers: string
}

/**
 * Starts a cluster for all test files of a run: to be called once, in the runner's global setup. Test files use it with
 * `sharedCluster`. Its address is in the environment variable `OTTLA_TEST_CLUSTER`, which worker processes inherit.
 *
 * Rejects with Error for an invalid option or a port in use.
 * @since 0.1.0
 */
export async function startSharedCluster(options: TestClusterOptions = {}): Promise<SharedCluster> {
  const cluster = await startTestCluster(options)
  const { bootstrapServers, embedded } = cluster
  const served = await serveCalls(callsOf(embedded))
  const announcement: Announcement = { bootstrapServers, ...served.address }
  process.env[VARIABLE] = JSON.stringify(announcement)
  let closing: Promise<void> | null = null
  const close = (): Promise<void> => {
    closing ??= served.close().then(() => cluster.close())
    Reflect.deleteProperty(process.env, VARIABLE)
    return closing
  }
  return { bootstrapServers, close, [Symbol.asyncDispose]: close }
}

/**
 * The cluster of `startSharedCluster` as the tests of this file, or of the suite in whose body this is called, see it:
 * their topics, groups and transactional ids have a prefix that no other file has, in this worker or another. What the
 * file leaves is deleted after its last test.
 *
 * The service under test has to use the names that `topic()`, `groupId()` and `transactionalId()` give.
 *
 * ```ts
 * const cluster = sharedCluster({ topics: ['orders'] })
 * test('...', () => runService({ servers: cluster.bootstrapServers, topic: cluster.topic('orders') }))
 * ```
 * @since 0.1.0
 */
export function sharedCluster(options: SharedTestOptions = {}, hooks?: RunnerHooks): TestCluster {
  const { topics = [], timeoutMs } = options
  const cluster = new TestCluster({
    open: connected,
    time: realTime,
    topics,
    timeoutMs: timeoutMs ?? defaultTimeoutMs(),
    prefix: ownPrefix(),
  })
  register(cluster, hooks)
  return cluster
}

async function connected(): Promise<ClusterAccess> {
  const { bootstrapServers, ...address } = announced()
  return { bootstrapServers, embedded: null, ...(await connectCalls(address)) }
}

function announced(): Announcement {
  const text = process.env[VARIABLE]
  if (text !== undefined) return JSON.parse(text) as Announcement
  throw new Error(`there is no shared cluster (${VARIABLE} is not set): call startSharedCluster in the global setup`)
}

/** `test-3-9f2c1a7e-` for the third worker. */
function ownPrefix(): string {
  const { JEST_WORKER_ID, VITEST_POOL_ID, MOCHA_WORKER_ID } = process.env
  const worker = JEST_WORKER_ID ?? VITEST_POOL_ID ?? MOCHA_WORKER_ID ?? process.pid
  return `test-${worker}-${randomBytes(4).toString('hex')}-`
}
