import { EmbeddedCluster } from '@ottla/broker'

export type EmbeddedOptions = NonNullable<Parameters<typeof EmbeddedCluster.start>[0]>

/** Another process uses one of the ports. */
export class PortsTakenError extends Error {}

/** Starts an embedded cluster. Rejects with PortsTakenError if a port is not free. */
export async function startEmbedded(options: EmbeddedOptions & { readonly port: number }): Promise<EmbeddedCluster> {
  try {
    return await EmbeddedCluster.start(options)
  } catch (error) {
    if (!isAddressInUse(error)) throw error
    const last = options.port + (options.brokers ?? 1) - 1
    const ports = last === options.port ? `port ${last} is` : `ports ${options.port} to ${last} are`
    throw new PortsTakenError(`${ports} not free: choose others with --port, or 0 for free ports`, { cause: error })
  }
}

function isAddressInUse(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return ('code' in error && error.code === 'EADDRINUSE') || isAddressInUse(error.cause)
}
