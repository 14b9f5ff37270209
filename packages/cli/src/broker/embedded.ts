import { EmbeddedCluster } from '@ottla/broker'

export type EmbeddedOptions = NonNullable<Parameters<typeof EmbeddedCluster.start>[0]>

/** Another process uses one of the ports. */
export class PortsTakenError extends Error {}

/** Starts an embedded cluster. Rejects with PortsTakenError if a port is not free. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedCluster> {
  try {
    return await EmbeddedCluster.start(options)
  } catch (error) {
    const taken = portInUse(error)
    if (taken === null) throw error
    throw new PortsTakenError(whatIsTaken(options, taken), { cause: error })
  }
}

function whatIsTaken({ port = 0, brokers = 1, listeners, schemaRegistry }: EmbeddedOptions, taken: number): string {
  if (typeof schemaRegistry === 'object' && schemaRegistry.port === taken) {
    return `port ${taken} is not free: choose another with --schema-registry PORT`
  }
  if (listeners !== undefined) return `port ${taken} is not free: choose others with --listener`
  const last = port + brokers - 1
  const ports = last === port ? `port ${last} is` : `ports ${port} to ${last} are`
  return `${ports} not free: choose others with --port, or 0 for free ports`
}

function portInUse(error: unknown): number | null {
  if (!(error instanceof Error)) return null
  if (!('code' in error && error.code === 'EADDRINUSE')) return portInUse(error.cause)
  return 'port' in error && typeof error.port === 'number' ? error.port : 0
}
