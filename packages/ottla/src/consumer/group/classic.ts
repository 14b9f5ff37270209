/**
 * The classic group protocol (JoinGroup, SyncGroup, Heartbeat) as seen by one member: what happened, what follows.
 * Pure: group.ts sends the requests, keeps the time and runs the program's callbacks.
 */
import { ErrorCode } from '@ottla/protocol'
import { isRetriable } from '../../cluster/retry.ts'

/** librdkafka's join states. */
export type JoinState =
  'init' | 'wait-join' | 'wait-metadata' | 'wait-sync' | 'wait-assign-call' | 'wait-unassign-call' | 'steady'

const moves: Readonly<Record<JoinState, readonly JoinState[]>> = {
  init: ['wait-join'],
  'wait-join': ['wait-join', 'wait-metadata', 'wait-sync', 'init'],
  'wait-metadata': ['wait-sync', 'wait-join', 'init'],
  'wait-sync': ['wait-assign-call', 'wait-join', 'init'],
  'wait-assign-call': ['steady', 'wait-unassign-call', 'init'],
  'wait-unassign-call': ['wait-join', 'init'],
  steady: ['wait-unassign-call', 'wait-join', 'init'],
}

export interface ClassicState {
  readonly join: JoinState
  /** Empty until the coordinator has given one. */
  readonly memberId: string
  /** -1 while not a member of a generation. */
  readonly generation: number
  /** Why to join again as soon as what is under way has come to its end; null for no reason. */
  readonly rejoin: string | null
  /** The group has gone on without this member while the program was being given partitions. */
  readonly isLost: boolean
  /** Leaves the group once the partitions are given up. */
  readonly isLeaving: boolean
}

export const initialState: ClassicState = {
  join: 'init',
  memberId: '',
  generation: -1,
  rejoin: null,
  isLost: false,
  isLeaving: false,
}

/** `hasPartitions`: whether the program holds partitions, which it has to give up first. */
export type ClassicEvent =
  /** Subscribed, or a rebalance is needed or has begun. */
  | { readonly type: 'join'; readonly reason: string; readonly hasPartitions: boolean }
  | { readonly type: 'joined'; readonly memberId: string; readonly generation: number; readonly isLeader: boolean }
  | { readonly type: 'join-refused'; readonly code: number; readonly memberId: string }
  /** As leader: the partitions have been dealt out. */
  | { readonly type: 'computed' }
  | { readonly type: 'synced' }
  | { readonly type: 'sync-refused'; readonly code: number }
  /** The program has the partitions. */
  | { readonly type: 'assign-called'; readonly hasPartitions: boolean }
  /** The program has given them up. */
  | { readonly type: 'unassign-called' }
  /** The coordinator does not know this member or generation (any more), or has not been heard for too long. */
  | { readonly type: 'lost'; readonly forgetMember: boolean; readonly hasPartitions: boolean }
  /** Unsubscribed or closed. No callback is running. */
  | { readonly type: 'leave'; readonly hasPartitions: boolean }

export type ClassicAction =
  | { readonly do: 'join' }
  | { readonly do: 'join-later' }
  | { readonly do: 'compute' }
  | { readonly do: 'sync' }
  /** The program is to be called, in its next poll. */
  | { readonly do: 'assign' }
  | { readonly do: 'revoke' }
  | { readonly do: 'lose' }
  | { readonly do: 'leave'; readonly memberId: string }
  | { readonly do: 'raise'; readonly code: number; readonly fatal: boolean }

export interface ClassicStep {
  readonly state: ClassicState
  readonly actions: readonly ClassicAction[]
}

/** Whether the coordinator counts on this member's heartbeats. */
export function isMember(state: ClassicState): boolean {
  const { join, generation } = state
  return generation >= 0 && (join === 'wait-assign-call' || join === 'wait-unassign-call' || join === 'steady')
}

/** Events that no longer fit (an answer to something given up) change nothing. */
export function step(state: ClassicState, event: ClassicEvent): ClassicStep {
  switch (event.type) {
    case 'join':
      return join(state, event.reason, event.hasPartitions)
    case 'joined': {
      if (state.join !== 'wait-join') return stay(state)
      const { memberId, generation, isLeader } = event
      const next = { ...state, memberId, generation }
      return isLeader ? to(next, 'wait-metadata', { do: 'compute' }) : to(next, 'wait-sync', { do: 'sync' })
    }
    case 'join-refused':
      return state.join === 'wait-join' ? joinRefused(state, event.code, event.memberId) : stay(state)
    case 'computed':
      return state.join === 'wait-metadata' ? to(state, 'wait-sync', { do: 'sync' }) : stay(state)
    case 'synced':
      return state.join === 'wait-sync' ? to(state, 'wait-assign-call', { do: 'assign' }) : stay(state)
    case 'sync-refused':
      return state.join === 'wait-sync' || state.join === 'wait-metadata' ? syncRefused(state, event.code) : stay(state)
    case 'assign-called':
      return assignCalled(state, event.hasPartitions)
    case 'unassign-called': {
      if (state.join !== 'wait-unassign-call') return stay(state)
      return state.isLeaving ? leave(state) : joinNow(state)
    }
    case 'lost':
      return lost(state, event.forgetMember, event.hasPartitions)
    case 'leave':
      return leaveRequested(state, event.hasPartitions)
    default:
      return event satisfies never
  }
}

function join(state: ClassicState, reason: string, hasPartitions: boolean): ClassicStep {
  switch (state.join) {
    case 'init':
      return joinNow(state)
    case 'steady':
      // EAGER: everything is given up before the group is joined again.
      return hasPartitions ? to(state, 'wait-unassign-call', { do: 'revoke' }) : joinNow(state)
    case 'wait-unassign-call':
      return stay({ ...state, isLeaving: false })
    case 'wait-join':
    case 'wait-metadata':
    case 'wait-sync':
    case 'wait-assign-call':
      return stay({ ...state, rejoin: reason })
    default:
      return state.join satisfies never
  }
}

function joinRefused(state: ClassicState, code: number, memberId: string): ClassicStep {
  switch (code) {
    case ErrorCode.ERR_MEMBER_ID_REQUIRED:
      return to({ ...state, memberId }, 'wait-join', { do: 'join' })
    case ErrorCode.ERR_UNKNOWN_MEMBER_ID:
      return to({ ...state, memberId: '', generation: -1 }, 'wait-join', { do: 'join' })
    default:
      return refused(state, code)
  }
}

function syncRefused(state: ClassicState, code: number): ClassicStep {
  switch (code) {
    case ErrorCode.ERR_UNKNOWN_MEMBER_ID:
      return joinNow({ ...state, memberId: '', generation: -1 })
    case ErrorCode.ERR_ILLEGAL_GENERATION:
    case ErrorCode.ERR_REBALANCE_IN_PROGRESS:
      return joinNow({ ...state, generation: -1 })
    default:
      return refused(state, code)
  }
}

function refused(state: ClassicState, code: number): ClassicStep {
  if (code === ErrorCode.ERR_FENCED_INSTANCE_ID) {
    return to({ ...initialState }, 'init', { do: 'raise', code, fatal: true }, state)
  }
  const next = { ...state, generation: -1 }
  const passes = isRetriable(code) || code === ErrorCode.ERR_REBALANCE_IN_PROGRESS
  if (passes) return to(next, 'wait-join', { do: 'join-later' })
  const step = to(next, 'wait-join', { do: 'raise', code, fatal: false })
  // Whatever it is, somebody may put it right (an ACL, the broker's limits).
  return { state: step.state, actions: [...step.actions, { do: 'join-later' }] }
}

function assignCalled(state: ClassicState, hasPartitions: boolean): ClassicStep {
  if (state.join !== 'wait-assign-call') return stay(state)
  const steady = to(state, 'steady').state
  if (state.isLost) return lost({ ...steady, isLost: false }, false, hasPartitions)
  if (state.rejoin !== null) return join({ ...steady, rejoin: null }, state.rejoin, hasPartitions)
  return stay(steady)
}

function lost(state: ClassicState, forgetMember: boolean, hasPartitions: boolean): ClassicStep {
  const next = { ...state, generation: -1, memberId: forgetMember ? '' : state.memberId }
  switch (state.join) {
    case 'steady':
      return hasPartitions ? to(next, 'wait-unassign-call', { do: 'lose' }) : joinNow(next)
    case 'wait-assign-call':
      return stay({ ...next, isLost: true })
    case 'wait-unassign-call':
      return { state: next, actions: [{ do: 'lose' }] }
    case 'init':
    case 'wait-join':
    case 'wait-metadata':
    case 'wait-sync':
      // The request that is under way will be told so itself.
      return stay(state)
    default:
      return state.join satisfies never
  }
}

function leaveRequested(state: ClassicState, hasPartitions: boolean): ClassicStep {
  switch (state.join) {
    case 'init':
      return stay(state)
    case 'wait-unassign-call':
      return stay({ ...state, isLeaving: true })
    case 'steady':
    case 'wait-assign-call':
      return hasPartitions ? to({ ...state, isLeaving: true }, 'wait-unassign-call', { do: 'revoke' }) : leave(state)
    case 'wait-join':
    case 'wait-metadata':
    case 'wait-sync':
      return leave(state)
    default:
      return state.join satisfies never
  }
}

function joinNow(state: ClassicState): ClassicStep {
  return to({ ...state, rejoin: null, isLost: false, isLeaving: false }, 'wait-join', { do: 'join' })
}

function leave(state: ClassicState): ClassicStep {
  return to(initialState, 'init', { do: 'leave', memberId: state.memberId }, state)
}

function stay(state: ClassicState): ClassicStep {
  return { state, actions: [] }
}

/** The one place where the join state changes. */
function to(state: ClassicState, next: JoinState, action?: ClassicAction, from: ClassicState = state): ClassicStep {
  if (from.join !== next && !moves[from.join].includes(next)) {
    throw new Error(`a group member cannot go from ${from.join} to ${next}`)
  }
  return { state: { ...state, join: next }, actions: action === undefined ? [] : [action] }
}
