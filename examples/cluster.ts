/** Where the examples run: the cluster that BOOTSTRAP_SERVERS names, or one of their own in this process. */
import { EmbeddedCluster } from '@ottla/broker'

export interface ExampleCluster {
  readonly bootstrapServers: string
  close(): Promise<void>
}

export async function openCluster(): Promise<ExampleCluster> {
  const bootstrapServers = process.env['BOOTSTRAP_SERVERS']
  if (bootstrapServers !== undefined) return { bootstrapServers, close: () => Promise.resolve() }
  return EmbeddedCluster.start({ brokers: 3, defaultPartitions: 4 })
}

/** A name of its own for each run, so that runs against a lasting cluster do not meet. */
export function fresh(prefix: string): string {
  return `${prefix}-${Date.now().toString(36)}`
}
