/** The addresses of brokers in responses, for those who stand between a client and its brokers. */
import { DescribeCluster, type DescribeClusterResponse } from '../generated/describe-cluster.ts'
import { Fetch } from '../generated/fetch.ts'
import { FindCoordinator, type FindCoordinatorResponse } from '../generated/find-coordinator.ts'
import { Metadata, type MetadataResponse } from '../generated/metadata.ts'
import { Produce } from '../generated/produce.ts'
import { ShareAcknowledge } from '../generated/share-acknowledge.ts'
import { ShareFetch } from '../generated/share-fetch.ts'
import type { WireMessage } from './conversation.ts'

/**
 * Where a broker listens.
 * @since 0.1.0
 */
export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

/**
 * The body of a response with other addresses of brokers; the same one if it names none.
 * @param change gives the address in place of one that the response names
 * @since 0.1.0
 */
export function withAddresses(
  response: WireMessage,
  change: (address: BrokerAddress, nodeId: number) => BrokerAddress,
): unknown {
  switch (response.api.key) {
    case Metadata.key: {
      const body = response.body as MetadataResponse
      return { ...body, brokers: body.brokers.map(each => changed(each, each.nodeId, change)) }
    }
    case DescribeCluster.key: {
      const body = response.body as DescribeClusterResponse
      return { ...body, brokers: body.brokers.map(each => changed(each, each.brokerId, change)) }
    }
    case FindCoordinator.key: {
      const { coordinators = [], ...body } = response.body as FindCoordinatorResponse
      const { host = '', port = -1, nodeId = -1 } = body
      return {
        ...changed({ ...body, host, port }, nodeId, change),
        coordinators: coordinators.map(each => changed(each, each.nodeId, change)),
      }
    }
    case Produce.key:
    case Fetch.key:
    case ShareFetch.key:
    case ShareAcknowledge.key: {
      const body = response.body as { readonly nodeEndpoints: readonly (BrokerAddress & { readonly nodeId: number })[] }
      if (body.nodeEndpoints.length === 0) return body
      return { ...body, nodeEndpoints: body.nodeEndpoints.map(each => changed(each, each.nodeId, change)) }
    }
    default:
      return response.body
  }
}

// Where there is no broker, as in the answer of a coordinator that is not available, the port is -1.
function changed<A extends BrokerAddress>(
  address: A,
  nodeId: number,
  change: (address: BrokerAddress, nodeId: number) => BrokerAddress,
): A {
  if (nodeId < 0 || address.host === '') return address
  const { host, port } = change({ host: address.host, port: address.port }, nodeId)
  return { ...address, host, port }
}
