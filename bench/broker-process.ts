/** The process of an embedded cluster under a benchmark: it tells where the cluster is, and what it uses when asked. */
import { EmbeddedCluster } from '@ottla/broker'

export interface Started {
  readonly bootstrapServers: string
  readonly startMs: number
}

export interface Used {
  /** User and system, since it was last asked, ms. */
  readonly cpuMs: number
  readonly rssBytes: number
  /** What is reachable: on the heap, and outside it. */
  readonly liveBytes: number
}

const tell = process.send?.bind(process)
if (tell === undefined) throw new Error('this is the other process of a benchmark, which starts it')
const started = performance.now()
const cluster = await EmbeddedCluster.start({ brokers: Number(process.argv[2]) })
const startMs = performance.now() - started
let before = process.cpuUsage()
process.on('message', () => {
  const { user, system } = process.cpuUsage(before)
  globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  tell({ cpuMs: (user + system) / 1000, rssBytes: rss, liveBytes: heapUsed + external } satisfies Used)
  before = process.cpuUsage()
})
process.on('disconnect', () => process.exit())
tell({ bootstrapServers: cluster.bootstrapServers, startMs } satisfies Started)
