/**
 * The classic group protocol (JoinGroup, SyncGroup, Heartbeat) as the states of one member: events in, actions out.
 * Pure: classic-member.ts sends the requests and keeps the time, rebalance-calls.ts runs the application's callbacks.
 *
 * EAGER members give everything up before they join. COOPERATIVE ones (KIP-429) keep their partitions, give up what the
 * new assignment lacks, and then join once more, so that it can go to others.
 */
import { memberAnswer, type MemberAnswer } from './membership-errors.ts'

/** librdkafka's join states. */
export type JoinState =
  'init' | 'wait-join' | 'wait-metadata' | 'wait-sync' | 'wait-assign-call' | 'wait-unassign-call' | 'steady'

const moves: Readonly<Record<JoinState, readonly JoinState[]>> = {
  init: ['wait-join'],
  'wait-join': ['wait-join', 'wait-metadata', 'wait-sync', 'wait-unassign-call', 'init'],
  'wait-metadata': ['wait-sync', 'wait-join', 'wait-unassign-call', 'init'],
  'wait-sync': ['wait-assign-call', 'wait-join', 'wait-unassign-call', 'init'],
  'wait-assign-call': ['steady', 'wait-unassign-call', 'init'],
  'wait-unassign-call': ['wait-unassign-call', 'wait-assign-call', 'wait-join', 'init'],
  steady: ['wait-unassign-call', 'wait-join', 'init'],
}

export interface ClassicState {
  readonly join: JoinState
  /** Whether the member keeps its partitions while the group rebalances. */
  readonly isCooperative: boolean
  /** Empty until the coordinator has assigned one. */
  readonly memberId: string
  /** -1 while not a member of a generation. */
  readonly generation: number
  /** Why to join again when the current step has ended; null when there is no need. */
  readonly rejoin: string | null
  /** New partitions are to be assigned after those that are being revoked. */
  readonly assignsNext: boolean
  /** The group has moved on without this member while a callback was pending. */
  readonly isLost: boolean
  /** Leaves the group once the partitions are given up. */
  readonly isLeaving: boolean
}

export function initialState(isCooperative: boolean): ClassicState {
  return {
    join: 'init',
    isCooperative,
    memberId: '',
    generation: -1,
    rejoin: null,
    assignsNext: false,
    isLost: false,
    isLeaving: false,
  }
}

/** `hasPartitions`: whether the application holds partitions. */
export type ClassicEvent =
  /**
   * Subscribed, or a rebalance is needed or has begun. `hasForeign`: it holds some of topics no longer subscribed to.
   */
  | {
      readonly type: 'join'
      readonly reason: string
      readonly hasPartitions: boolean
      readonly hasForeign: boolean
    }
  /** Before a join: the subscription has changed again, and lacks topics of partitions that are held. */
  | { readonly type: 'foreign-held' }
  | { readonly type: 'joined'; readonly memberId: string; readonly generation: number; readonly isLeader: boolean }
  | { readonly type: 'join-refused'; readonly code: number; readonly memberId: string; readonly hasPartitions: boolean }
  /** As leader: the partitions have been assigned. */
  | { readonly type: 'computed' }
  /** `hasRevoked`: the application holds partitions that the assignment lacks. */
  | { readonly type: 'synced'; readonly hasRevoked: boolean }
  | { readonly type: 'sync-refused'; readonly code: number; readonly hasPartitions: boolean }
  /** The callback has been called with the new partitions. */
  | { readonly type: 'assign-called'; readonly hasPartitions: boolean; readonly hasForeign: boolean }
  /** The callback has been called with the partitions to give up. */
  | { readonly type: 'unassign-called'; readonly hasPartitions: boolean }
  /** The coordinator does not know this member or generation (any more), or has not answered for too long. */
  | { readonly type: 'lost'; readonly forgetMember: boolean; readonly hasPartitions: boolean }
  /** Unsubscribed or closed. */
  | { readonly type: 'leave'; readonly hasPartitions: boolean }

export type ClassicAction =
  | { readonly do: 'join' }
  | { readonly do: 'join-later' }
  | { readonly do: 'compute' }
  | { readonly do: 'sync' }
  /** Gives up requests in flight. */
  | { readonly do: 'abandon' }
  /** Calls the application, in its next poll: with the new partitions; */
  | { readonly do: 'assign' }
  /** with those to give up: all, those that the assignment lacks, or those of topics no longer subscribed to; */
  | { readonly do: 'revoke'; readonly what: 'all' | 'revoked' | 'foreign' }
  /** with all of them, as lost. */
  | { readonly do: 'lose' }
  | { readonly do: 'leave'; readonly memberId: string }
  | { readonly do: 'raise'; readonly code: number; readonly fatal: boolean }

export interface ClassicStep {
  readonly state: ClassicState
  readonly actions: readonly ClassicAction[]
}

/** Whether the coordinator expects this member's heartbeats. */
export function isMember(state: ClassicState): boolean {
  const { join, generation } = state
  return generation >= 0 && (join === 'wait-assign-call' || join === 'wait-unassign-call' || join === 'steady')
}

/** Events that no longer fit (a response to an abandoned request) change nothing. */
export function step(state: ClassicState, event: ClassicEvent): ClassicStep {
  switch (event.type) {
    case 'join':
      return join(state, event.reason, event.hasPartitions, event.hasForeign)
    case 'foreign-held':
      if (state.join !== 'wait-join') return stay(state)
      return to(state, 'wait-unassign-call', { do: 'revoke', what: 'foreign' })
    case 'joined': {
      if (state.join !== 'wait-join') return stay(state)
      const { memberId, generation, isLeader } = event
      const next = { ...state, memberId, generation }
      return isLeader ? to(next, 'wait-metadata', { do: 'compute' }) : to(next, 'wait-sync', { do: 'sync' })
    }
    case 'join-refused':
      return state.join === 'wait-join' ? joinRefused(state, event) : stay(state)
    case 'computed':
      return state.join === 'wait-metadata' ? to(state, 'wait-sync', { do: 'sync' }) : stay(state)
    case 'synced':
      return state.join === 'wait-sync' ? synced(state, event.hasRevoked) : stay(state)
    case 'sync-refused':
      return state.join === 'wait-sync' || state.join === 'wait-metadata'
        ? syncRefused(state, event.code, event.hasPartitions)
        : stay(state)
    case 'assign-called':
      return assignCalled(state, event.hasPartitions, event.hasForeign)
    case 'unassign-called':
      return state.join === 'wait-unassign-call' ? unassignCalled(state, event.hasPartitions) : stay(state)
    case 'lost':
      return lost(state, event.forgetMember, event.hasPartitions)
    case 'leave':
      return leaveRequested(state, event.hasPartitions)
    default:
      return event satisfies never
  }
}

function join(state: ClassicState, reason: string, hasPartitions: boolean, hasForeign: boolean): ClassicStep {
  switch (state.join) {
    case 'init':
      return joinNow(state)
    case 'steady':
      if (state.isCooperative) {
        return hasForeign ? to(state, 'wait-unassign-call', { do: 'revoke', what: 'foreign' }) : joinNow(state)
      }
      // EAGER: gives everything up before it joins again.
      return hasPartitions ? to(state, 'wait-unassign-call', { do: 'revoke', what: 'all' }) : joinNow(state)
    case 'wait-unassign-call':
    case 'wait-join':
    case 'wait-metadata':
    case 'wait-sync':
    case 'wait-assign-call':
      return stay({ ...state, rejoin: reason, isLeaving: false })
    default:
      return state.join satisfies never
  }
}

function joinRefused(state: ClassicState, event: Extract<ClassicEvent, { type: 'join-refused' }>): ClassicStep {
  const { code, memberId, hasPartitions } = event
  const answer = memberAnswer('JoinGroup', code)
  if (answer === 'take-member-id') return to({ ...state, memberId }, 'wait-join', { do: 'join' })
  return refused(state, code, answer, hasPartitions)
}

function synced(state: ClassicState, hasRevoked: boolean): ClassicStep {
  if (!state.isCooperative || !hasRevoked) return to(state, 'wait-assign-call', { do: 'assign' })
  return to({ ...state, assignsNext: true }, 'wait-unassign-call', { do: 'revoke', what: 'revoked' })
}

function syncRefused(state: ClassicState, code: number, hasPartitions: boolean): ClassicStep {
  return refused(state, code, memberAnswer('SyncGroup', code), hasPartitions)
}

function refused(state: ClassicState, code: number, answer: MemberAnswer, hasPartitions: boolean): ClassicStep {
  // A COOPERATIVE member keeps its partitions, as of this generation.
  const next = state.isCooperative ? state : { ...state, generation: -1 }
  switch (answer) {
    case 'lost-membership':
      return loseThenJoin({ ...state, memberId: '', generation: -1 }, hasPartitions)
    case 'lost-generation':
      return loseThenJoin({ ...state, generation: -1 }, hasPartitions)
    case 'rejoin':
      return joinNow(next)
    case 'fatal': {
      const raise: ClassicAction = { do: 'raise', code, fatal: true }
      const out = { ...initialState(state.isCooperative), isLeaving: true }
      if (!hasPartitions) return to(initialState(state.isCooperative), 'init', raise, state)
      return and(to(out, 'wait-unassign-call', { do: 'lose' }, state), raise)
    }
    case 'retry':
    case 'find-coordinator':
    case 'refresh-epoch':
      return to(next, 'wait-join', { do: 'join-later' })
    case 'take-member-id':
    case 'match-in-client':
    case 'new-session':
    case 'caller':
    case 'done':
    case 'report':
      return and(to(next, 'wait-join', { do: 'raise', code, fatal: false }), { do: 'join-later' })
    default:
      return answer satisfies never
  }
}

function loseThenJoin(state: ClassicState, hasPartitions: boolean): ClassicStep {
  return hasPartitions ? to({ ...state, isLost: true }, 'wait-unassign-call', { do: 'lose' }) : joinNow(state)
}

function assignCalled(state: ClassicState, hasPartitions: boolean, hasForeign: boolean): ClassicStep {
  if (state.join !== 'wait-assign-call') return stay(state)
  const steady = to(state, 'steady').state
  if (state.isLeaving) return leaveRequested({ ...steady, isLeaving: false }, hasPartitions)
  if (state.isLost) return lost({ ...steady, isLost: false }, false, hasPartitions)
  if (state.rejoin !== null) return join({ ...steady, rejoin: null }, state.rejoin, hasPartitions, hasForeign)
  return stay(steady)
}

function unassignCalled(state: ClassicState, hasPartitions: boolean): ClassicStep {
  // The membership was lost while only some of the partitions were being given up.
  if (hasPartitions && state.isLost) return to(state, 'wait-unassign-call', { do: 'lose' })
  if (state.isLeaving) {
    return hasPartitions ? to(state, 'wait-unassign-call', { do: 'revoke', what: 'all' }) : leave(state)
  }
  if (state.assignsNext && !state.isLost) {
    const rejoin = state.rejoin ?? 'partitions have been given up'
    return to({ ...state, assignsNext: false, rejoin }, 'wait-assign-call', { do: 'assign' })
  }
  return joinNow(state)
}

function lost(state: ClassicState, forgetMember: boolean, hasPartitions: boolean): ClassicStep {
  const next = { ...state, generation: -1, memberId: forgetMember ? '' : state.memberId }
  switch (state.join) {
    case 'steady':
      return loseThenJoin(next, hasPartitions)
    case 'wait-assign-call':
      return stay({ ...next, isLost: true })
    case 'wait-unassign-call':
      // Called once only.
      return state.isLost ? stay(next) : { state: { ...next, isLost: true }, actions: [{ do: 'lose' }] }
    case 'wait-join':
    case 'wait-metadata':
    case 'wait-sync': {
      // Nothing to lose: the response to the request in flight will say so itself.
      if (!hasPartitions) return stay(state)
      const step = loseThenJoin(next, hasPartitions)
      return { state: step.state, actions: [{ do: 'abandon' }, ...step.actions] }
    }
    case 'init':
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
    case 'wait-join':
    case 'wait-metadata':
    case 'wait-sync':
      if (!hasPartitions) return leave(state)
      return to({ ...state, isLeaving: true }, 'wait-unassign-call', { do: 'revoke', what: 'all' })
    default:
      return state.join satisfies never
  }
}

function joinNow(state: ClassicState): ClassicStep {
  const next = { ...state, rejoin: null, assignsNext: false, isLost: false, isLeaving: false }
  return to(next, 'wait-join', { do: 'join' })
}

function leave(state: ClassicState): ClassicStep {
  return to(initialState(state.isCooperative), 'init', { do: 'leave', memberId: state.memberId }, state)
}

function stay(state: ClassicState): ClassicStep {
  return { state, actions: [] }
}

function and(step: ClassicStep, action: ClassicAction): ClassicStep {
  return { state: step.state, actions: [...step.actions, action] }
}

/** The one place where the join state changes. */
function to(state: ClassicState, next: JoinState, action?: ClassicAction, from: ClassicState = state): ClassicStep {
  if (from.join !== next && !moves[from.join].includes(next)) {
    throw new Error(`a group member cannot go from ${from.join} to ${next}`)
  }
  return { state: { ...state, join: next }, actions: action === undefined ? [] : [action] }
}
