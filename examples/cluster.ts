/** Where the examples run: on the cluster that BOOTSTRAP_SERVERS names, or on an embedded one in this process. */
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

/** A unique name for each run, so that runs against the same cluster do not share topics or groups. */
export function fresh(prefix: string): string {
  return `${prefix}-${Date.now().toString(36)}`
}
