/** A rebalance, with the program's `rebalance_cb`, which may decide otherwise. */
import type { KafkaConsumer, LibrdKafkaError } from '@ottla/node-rdkafka'
import { ErrorCode, type TopicPartition } from 'ottla'

/** A partition, and where to begin. */
type Assigned = TopicPartition & { readonly offset?: number }

export interface RebalanceHost {
  readonly client: KafkaConsumer
  readonly onRebalance: ((...args: never[]) => unknown) | null
  /** Where the program wants to begin; forgotten then. */
  sought(place: TopicPartition): number | undefined
  onAssigned(): void
  info(message: string): void
  failed(message: string): void
}

/** What the program's callback can do itself. */
interface AssignmentFns {
  assign(partitions: readonly Assigned[]): void
  unassign(partitions: readonly Assigned[]): void
  assignmentLost(): boolean
}

type RebalanceCallback = (error: LibrdKafkaError, partitions: readonly Assigned[], fns: AssignmentFns) => unknown

/** Rejects never. */
export async function rebalance(
  error: LibrdKafkaError,
  given: readonly Assigned[],
  host: RebalanceHost,
): Promise<void> {
  const { client, onRebalance } = host
  const isLost = client.assignmentLost()
  host.info(`Rebalance: ${error.message}, ${given.length} partitions${isLost ? ', lost' : ''}`)
  let isDone = false
  const once = (work: () => void): void => {
    if (isDone) return
    isDone = true
    work()
  }
  const fns: AssignmentFns = {
    assign: partitions => once(() => assign(client, partitions)),
    unassign: partitions => once(() => unassign(client, partitions)),
    assignmentLost: () => isLost,
  }
  const instead = await asked(onRebalance as RebalanceCallback | null, error, given, fns, host)
  try {
    if (error.code === ErrorCode.ERR__ASSIGN_PARTITIONS) {
      fns.assign(instead ?? given.map(each => startOf(each, host)))
      host.onAssigned()
    } else {
      fns.unassign(instead ?? given)
    }
  } catch (thrown) {
    if (client.isConnected()) host.failed(`Rebalance: ${(thrown as Error).message}`)
  }
}

/** What the program wants instead; null for nothing. */
async function asked(
  callback: RebalanceCallback | null,
  error: LibrdKafkaError,
  given: readonly Assigned[],
  fns: AssignmentFns,
  host: RebalanceHost,
): Promise<readonly Assigned[] | null> {
  if (callback === null) return null
  try {
    const instead = await callback(error, given, fns)
    return Array.isArray(instead) ? (instead as readonly Assigned[]) : null
  } catch (thrown) {
    const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
    host.failed(`rebalance_cb has failed, and decides nothing: ${text}`)
    return null
  }
}

function startOf(place: Assigned, host: RebalanceHost): Assigned {
  const offset = host.sought(place)
  return offset === undefined ? place : { ...place, offset }
}

function assign(client: KafkaConsumer, partitions: readonly Assigned[]): void {
  if (client.rebalanceProtocol() === 'COOPERATIVE') client.incrementalAssign([...partitions])
  else client.assign([...partitions])
}

function unassign(client: KafkaConsumer, partitions: readonly Assigned[]): void {
  if (client.rebalanceProtocol() === 'COOPERATIVE') client.incrementalUnassign([...partitions])
  else client.unassign()
}
