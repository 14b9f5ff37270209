/** Summaries of the requests of groups. */
import type { Decoded } from '../api.ts'
import {
  ConsumerGroupHeartbeat,
  type ConsumerGroupHeartbeatRequest,
  type ConsumerGroupHeartbeatResponse,
} from '../generated/consumer-group-heartbeat.ts'
import { Heartbeat, type HeartbeatRequest, type HeartbeatResponse } from '../generated/heartbeat.ts'
import { JoinGroup, type JoinGroupRequest, type JoinGroupResponse } from '../generated/join-group.ts'
import { LeaveGroup, type LeaveGroupRequest, type LeaveGroupResponse } from '../generated/leave-group.ts'
import { OffsetCommit, type OffsetCommitRequest, type OffsetCommitResponse } from '../generated/offset-commit.ts'
import { OffsetFetch, type OffsetFetchRequest, type OffsetFetchResponse } from '../generated/offset-fetch.ts'
import {
  ShareGroupHeartbeat,
  type ShareGroupHeartbeatRequest,
  type ShareGroupHeartbeatResponse,
} from '../generated/share-group-heartbeat.ts'
import { SyncGroup, type SyncGroupRequest, type SyncGroupResponse } from '../generated/sync-group.ts'
import type { ClusterNames } from './names.ts'
import {
  assignmentWords,
  commitWords,
  errorWords,
  few,
  memberWords,
  outcomeWords,
  partitionWords,
  type Summary,
} from './phrases.ts'

const joinGroup: Summary<Decoded<JoinGroupRequest>, Decoded<JoinGroupResponse>> = {
  request: m => [
    `group ${m.groupId}`,
    memberWords(m.memberId, m.groupInstanceId),
    few(m.protocols.map(({ name }) => name)),
  ],
  response: m => {
    if (m.errorCode !== 0) return [errorWords(m.errorCode), m.memberId === '' ? '' : memberWords(m.memberId)]
    const role = m.leader === m.memberId ? `leads ${m.members.length} members` : `led by ${m.leader}`
    return [`generation ${m.generationId}`, m.protocolName ?? '', memberWords(m.memberId), role]
  },
}

const syncGroup: Summary<Decoded<SyncGroupRequest>, Decoded<SyncGroupResponse>> = {
  request: m => [
    `group ${m.groupId}`,
    `generation ${m.generationId}`,
    memberWords(m.memberId, m.groupInstanceId),
    m.assignments.length === 0 ? '' : `assigns to ${m.assignments.length} members`,
  ],
  response: m => [
    m.errorCode === 0 ? `an assignment of ${m.assignment.length} bytes` : errorWords(m.errorCode),
    m.protocolName ?? '',
  ],
}

const heartbeat: Summary<Decoded<HeartbeatRequest>, Decoded<HeartbeatResponse>> = {
  request: m => [`group ${m.groupId}`, `generation ${m.generationId}`, memberWords(m.memberId, m.groupInstanceId)],
  response: m => [m.errorCode === 0 ? 'ok' : errorWords(m.errorCode)],
}

const leaveGroup: Summary<Decoded<LeaveGroupRequest>, Decoded<LeaveGroupResponse>> = {
  request: m => {
    const members = m.members.map(member => memberWords(member.memberId, member.groupInstanceId))
    return [`group ${m.groupId}`, members.length === 0 ? memberWords(m.memberId) : few(members)]
  },
  response: m => [
    m.errorCode === 0 ? 'ok' : errorWords(m.errorCode),
    few(m.members.filter(each => each.errorCode !== 0).map(each => `${each.memberId} ${errorWords(each.errorCode)}`)),
  ],
}

const consumerGroupHeartbeat: Summary<
  Decoded<ConsumerGroupHeartbeatRequest>,
  Decoded<ConsumerGroupHeartbeatResponse>
> = {
  request: (m, names) => [
    ...heartbeatWords(m),
    m.instanceId === null ? '' : `(${m.instanceId})`,
    m.subscribedTopicRegex === null ? '' : `subscribes /${m.subscribedTopicRegex}/`,
    m.topicPartitions === null
      ? ''
      : `owns ${m.topicPartitions.length === 0 ? 'nothing' : assignmentWords(m.topicPartitions, names)}`,
  ],
  response: assignedWords,
}

const shareGroupHeartbeat: Summary<Decoded<ShareGroupHeartbeatRequest>, Decoded<ShareGroupHeartbeatResponse>> = {
  request: m => heartbeatWords(m),
  response: assignedWords,
}

function heartbeatWords(m: Decoded<ShareGroupHeartbeatRequest>): string[] {
  const epoch = m.memberEpoch === 0 ? 'joins' : m.memberEpoch < 0 ? 'leaves' : `epoch ${m.memberEpoch}`
  return [
    `group ${m.groupId}`,
    memberWords(m.memberId),
    epoch,
    m.subscribedTopicNames === null ? '' : `subscribes ${few(m.subscribedTopicNames)}`,
  ]
}

function assignedWords(m: Decoded<ShareGroupHeartbeatResponse>, names: ClusterNames): string[] {
  if (m.errorCode !== 0) return [errorWords(m.errorCode, m.errorMessage)]
  const { assignment } = m
  const partitions = assignment === null ? '' : assignmentWords(assignment.topicPartitions, names)
  return [`epoch ${m.memberEpoch}`, assignment === null ? '' : `assigned ${partitions === '' ? 'nothing' : partitions}`]
}

const offsetCommit: Summary<Decoded<OffsetCommitRequest>, Decoded<OffsetCommitResponse>> = {
  request: (m, names) => [
    `group ${m.groupId}`,
    m.generationIdOrMemberEpoch < 0 ? '' : `generation ${m.generationIdOrMemberEpoch}`,
    commitWords(m.topics, names),
  ],
  response: (m, names) => [outcomeWords(m.topics, names)],
}

const offsetFetch: Summary<Decoded<OffsetFetchRequest>, Decoded<OffsetFetchResponse>> = {
  request: (m, names) => {
    const groups = m.groups.length > 0 ? m.groups : [m]
    return [
      few(
        groups.map(({ groupId, topics }) => {
          const wanted = topics?.map(topic => ({ ...topic, partitions: topic.partitionIndexes }))
          return `group ${groupId} ${wanted === undefined ? 'everything' : assignmentWords(wanted, names)}`
        }),
      ),
    ]
  },
  response: (m, names) => {
    const groups = m.groups.length > 0 ? m.groups : [m]
    return groups.flatMap(({ errorCode, topics }) => [
      errorWords(errorCode),
      partitionWords(
        topics,
        names,
        p => p.partitionIndex,
        p => (p.errorCode !== 0 ? errorWords(p.errorCode) : p.committedOffset < 0 ? 'none' : `at ${p.committedOffset}`),
      ),
    ])
  },
}

export const groupSummaries: readonly (readonly [number, Summary<never, never>])[] = [
  [JoinGroup.key, joinGroup],
  [SyncGroup.key, syncGroup],
  [Heartbeat.key, heartbeat],
  [LeaveGroup.key, leaveGroup],
  [ConsumerGroupHeartbeat.key, consumerGroupHeartbeat],
  [ShareGroupHeartbeat.key, shareGroupHeartbeat],
  [OffsetCommit.key, offsetCommit],
  [OffsetFetch.key, offsetFetch],
]
