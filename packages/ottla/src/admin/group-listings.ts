import { ListGroups, type ListGroupsRequest } from '@ottla/protocol'
import { KafkaError } from '../errors.ts'
import { requireName, requireWord } from './arguments.ts'
import { coordinatorMoved, itemError, type AdminCall, type AdminOptions } from './call.ts'
import { askBrokers } from './fan-out.ts'
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
  /** A group that only stores offsets and never had members. */
  isSimple: boolean
}

/**
 * The consumer groups of the cluster.
 * @since 0.1.0
 */
export interface ConsumerGroupListings {
  groups: ConsumerGroupListing[]
  /** One for each broker that could not answer: the groups it coordinates are missing. */
  errors: KafkaError[]
}

/**
 * What kind a group of any kind is.
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
  /** Only groups whose members speak one of these: `consumer`, `connect`, `share`, '' (offsets only), ... */
  readonly protocols?: readonly string[]
}

/**
 * One group of the cluster, of whatever kind (KIP-1043).
 * @since 0.1.0
 */
export interface GroupListing {
  groupId: string
  state: ConsumerGroupState
  type: GroupType
  /** What its members are: `consumer`, `connect`, `share`, ...; '' for a group that only stores offsets. */
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

/** Asks every broker: each knows only the groups that it coordinates. */
export async function listGroups(
  call: AdminCall,
  options: Omit<ListGroupsOptions, keyof AdminOptions>,
): Promise<GroupListings> {
  options.states?.forEach((state, i) => requireWord(state, stateNumbers, `states[${i}]`))
  options.types?.forEach((type, i) => requireWord(type, typeNumbers, `types[${i}]`))
  options.protocols?.forEach((protocol, i) => protocol === '' || requireName(protocol, `protocols[${i}]`))
  const statesFilter = [...(options.states ?? [])]
  const typesFilter = [...(options.types ?? [])]
  // A broker that cannot filter must not answer as if nothing had been asked.
  const minVersion = typesFilter.length > 0 ? TYPES_FILTER_VERSION : statesFilter.length > 0 ? STATES_FILTER_VERSION : 0
  const body: ListGroupsRequest = { statesFilter, typesFilter }
  const { deadline, signal } = call
  const answers = await askBrokers(call, undefined, id =>
    call.cluster.request({ to: 'node', id }, ListGroups, body, {
      deadline,
      signal,
      minVersion,
      errorOf: r => coordinatorMoved([r.errorCode]),
    }),
  )
  const listings: GroupListings = { groups: [], errors: [] }
  for (const { brokerId, answer } of answers) {
    if (answer instanceof KafkaError) {
      listings.errors.push(answer)
      continue
    }
    const error = itemError(answer.errorCode, null, `listing the groups of broker ${brokerId}`)
    if (error !== undefined) listings.errors.push(error)
    for (const { groupId, groupState, groupType, protocolType: protocol } of answer.groups) {
      if (options.protocols !== undefined && !options.protocols.includes(protocol)) continue
      listings.groups.push({ groupId, state: stateOf(groupState), type: typeOf(groupType), protocol })
    }
  }
  listings.groups.sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
  return listings
}

function typeOf(name: string): GroupType {
  return types.find(type => type === name.toLowerCase()) ?? 'unknown'
}
