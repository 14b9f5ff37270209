import { ListGroups, type Decoded, type ListGroupsRequest, type ListGroupsResponse } from '@ottla/protocol'
import type { KafkaError } from '../errors.ts'
import { requireName, requireWord } from './arguments.ts'
import { coordinatorMoved, type AdminCall, type AdminOptions } from './call.ts'
import { listFromBrokers } from './fan-out.ts'
import { groupStates, stateOf, type ConsumerGroupState, type ConsumerGroupType } from './groups.ts'

/**
 * Options of `listConsumerGroups`.
 * @since 0.1.0
 */
export interface ListConsumerGroupsOptions extends AdminOptions {
  /** Only groups in one of these states (Kafka 2.6 and later). */
  readonly states?: readonly ConsumerGroupState[]
  /** Only groups of these types (Kafka 3.8 and later). */
  readonly types?: readonly ConsumerGroupType[]
}

/**
 * One consumer group of the cluster.
 * @since 0.1.0
 */
export interface ConsumerGroupListing {
  groupId: string
  /** 'Unknown' on brokers before 2.6. */
  state: ConsumerGroupState
  /** 'unknown' on brokers before 3.8. */
  type: ConsumerGroupType
  /** Whether the group only stores offsets and never had members. */
  isSimple: boolean
}

/**
 * The consumer groups of the cluster.
 * @since 0.1.0
 */
export interface ConsumerGroupListings {
  groups: ConsumerGroupListing[]
  /** One for each broker that could not answer: the groups that it coordinates are missing. */
  errors: KafkaError[]
}

/**
 * The type of a group.
 * @since 0.1.0
 */
export type GroupType = ConsumerGroupType | 'share' | 'streams'

/**
 * Options of `listGroups`.
 * @since 0.1.0
 */
export interface ListGroupsOptions extends AdminOptions {
  /** Only groups in one of these states (Kafka 2.6 and later). */
  readonly states?: readonly ConsumerGroupState[]
  /** Only groups of these types (Kafka 3.8 and later). */
  readonly types?: readonly GroupType[]
  /** Only groups with one of these protocols: `consumer`, `connect`, `share`, '' (offsets only), ... */
  readonly protocols?: readonly string[]
}

/**
 * One group of the cluster, of any type (KIP-1043).
 * @since 0.1.0
 */
export interface GroupListing {
  groupId: string
  state: ConsumerGroupState
  type: GroupType
  /** The protocol of its members: `consumer`, `connect`, `share`, ...; '' for a group that only stores offsets. */
  protocol: string
}

/**
 * The groups of the cluster.
 * @since 0.1.0
 */
export interface GroupListings {
  groups: GroupListing[]
  /** One for each broker that could not answer: the groups it coordinates are missing. */
  errors: KafkaError[]
}

const types: readonly GroupType[] = ['unknown', 'classic', 'consumer', 'share', 'streams']
const consumerTypes: ReadonlyMap<string, number> = new Map(
  ['unknown', 'classic', 'consumer'].map((type, i) => [type, i]),
)
const typeNumbers: ReadonlyMap<string, number> = new Map(types.map((type, i) => [type, i]))
const stateNumbers: ReadonlyMap<string, number> = new Map(groupStates.map((state, i) => [state, i]))
const STATES_FILTER_VERSION = 4
const TYPES_FILTER_VERSION = 5
const CONSUMER_PROTOCOL = 'consumer'

export async function listConsumerGroups(
  call: AdminCall,
  options: Pick<ListConsumerGroupsOptions, 'states' | 'types'>,
): Promise<ConsumerGroupListings> {
  options.types?.forEach((type, i) => requireWord(type, consumerTypes, `types[${i}]`))
  const { groups, errors } = await listGroups(call, { ...options, protocols: [CONSUMER_PROTOCOL, ''] })
  return {
    groups: groups.flatMap(({ groupId, state, type, protocol }) =>
      type === 'share' || type === 'streams' ? [] : [{ groupId, state, type, isSimple: protocol === '' }],
    ),
    errors,
  }
}

/** Lists the groups of every broker: each knows only those that it coordinates. */
export async function listGroups(
  call: AdminCall,
  options: Omit<ListGroupsOptions, keyof AdminOptions>,
): Promise<GroupListings> {
  options.states?.forEach((state, i) => requireWord(state, stateNumbers, `states[${i}]`))
  options.types?.forEach((type, i) => requireWord(type, typeNumbers, `types[${i}]`))
  options.protocols?.forEach((protocol, i) => protocol === '' || requireName(protocol, `protocols[${i}]`))
  const statesFilter = [...(options.states ?? [])]
  const typesFilter = [...(options.types ?? [])]
  // A broker that cannot filter must not return everything.
  const minVersion = typesFilter.length > 0 ? TYPES_FILTER_VERSION : statesFilter.length > 0 ? STATES_FILTER_VERSION : 0
  const body: ListGroupsRequest = { statesFilter, typesFilter }
  const { deadline, signal } = call
  const errorOf = (r: Decoded<ListGroupsResponse>): number => coordinatorMoved([r.errorCode])
  const { items: groups, errors } = await listFromBrokers(
    call,
    'groups',
    id => call.cluster.request({ to: 'node', id }, ListGroups, body, { deadline, signal, minVersion, errorOf }),
    answer =>
      answer.groups
        .map(({ groupId, groupState, groupType, protocolType: protocol }) => {
          return { groupId, state: stateOf(groupState), type: typeOf(groupType), protocol }
        })
        .filter(({ protocol }) => options.protocols?.includes(protocol) ?? true),
  )
  groups.sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
  return { groups, errors }
}

function typeOf(name: string): GroupType {
  return types.find(type => type === name.toLowerCase()) ?? 'unknown'
}
