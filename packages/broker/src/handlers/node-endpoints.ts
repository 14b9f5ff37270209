import { addressOf, type Brokers } from '../base/brokers.ts'
import type { RequestContext } from './request.ts'

/** Where clients reach the new leaders that a response names (KIP-951). */
export function nodeEndpoints(
  ids: ReadonlySet<number>,
  { all }: Brokers,
  { session }: RequestContext,
): { readonly nodeId: number; readonly host: string; readonly port: number; readonly rack: string | null }[] {
  if (ids.size === 0) return []
  return all
    .filter(({ id }) => ids.has(id))
    .map(broker => ({ nodeId: broker.id, ...addressOf(broker, session.listener.index), rack: broker.rack }))
}
