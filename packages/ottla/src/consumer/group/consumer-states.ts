/**
 * The consumer group protocol (KIP-848) as the states of one member: events in, actions out. Pure: consumer-member.ts
 * sends the heartbeats and keeps the time, rebalance-calls.ts runs the application's callbacks.
 *
 * The coordinator sends the target assignment. The member first gives up what that lacks, then takes what is new, then
 * reports in a heartbeat what it has. Heartbeats continue meanwhile.
 */

/**
 * out: not a member; joining: the first heartbeat of a membership is in flight; revoking, assigning: the callback is
 * pending; acknowledging: a heartbeat reports the partitions; losing: the callback for lost partitions is pending;
 * leaving: the application gives everything up before the member leaves.
 */
export type MemberPhase =
  'out' | 'joining' | 'stable' | 'revoking' | 'assigning' | 'acknowledging' | 'losing' | 'leaving'

const moves: Readonly<Record<MemberPhase, readonly MemberPhase[]>> = {
  out: ['joining'],
  joining: ['stable', 'revoking', 'assigning', 'losing', 'joining', 'leaving', 'out'],
  stable: ['revoking', 'assigning', 'losing', 'joining', 'leaving', 'out'],
  revoking: ['assigning', 'acknowledging', 'losing', 'joining', 'leaving', 'out'],
  assigning: ['acknowledging', 'losing', 'joining', 'leaving', 'out'],
  acknowledging: ['stable', 'revoking', 'assigning', 'losing', 'joining', 'leaving', 'out'],
  losing: ['joining', 'out'],
  leaving: ['acknowledging', 'losing', 'joining', 'out'],
}

export interface MemberState {
  readonly phase: MemberPhase
  /** 0 until the coordinator has accepted the member. */
  readonly epoch: number
  /** The group has moved on without this member while a callback was pending. */
  readonly isLost: boolean
  /** It will not join again: unsubscribed, or refused for good. */
  readonly isLast: boolean
}

export const outside: MemberState = { phase: 'out', epoch: 0, isLost: false, isLast: false }

/** The difference between what the application holds and the target assignment. */
export interface Difference {
  /** The application holds partitions that the target lacks. */
  readonly hasRevoked: boolean
  /** The target has partitions that the application does not hold. */
  readonly hasNew: boolean
}

export type MemberEvent =
  /** Subscribed, or the subscription has changed. */
  | { readonly type: 'subscribe' }
  /** A heartbeat succeeded. */
  | ({ readonly type: 'answered'; readonly epoch: number } & Difference)
  /** Topics of the target assignment have become known. */
  | ({ readonly type: 'topics-known' } & Difference)
  /** The callback has been called with the partitions to give up. */
  | ({ readonly type: 'unassign-called'; readonly hasPartitions: boolean } & Difference)
  /** The callback has been called with the new partitions. */
  | { readonly type: 'assign-called'; readonly hasPartitions: boolean }
  /** The coordinator does not know this member or epoch, or the member has left on its own. */
  | { readonly type: 'fenced'; readonly hasPartitions: boolean }
  /** The coordinator will never accept this member. */
  | { readonly type: 'refused'; readonly hasPartitions: boolean }
  /** Unsubscribed or closed. */
  | { readonly type: 'leave'; readonly hasPartitions: boolean }

export type MemberAction =
  /** Sends a heartbeat now, without waiting for the interval. */
  | { readonly do: 'heartbeat' }
  /** The next three call the application, in its next poll. */
  | { readonly do: 'revoke'; readonly what: 'all' | 'revoked' }
  | { readonly do: 'assign' }
  | { readonly do: 'lose' }
  /** Sends the leave request. */
  | { readonly do: 'leave' }

export interface MemberStep {
  readonly state: MemberState
  readonly actions: readonly MemberAction[]
}

/** Whether the coordinator counts on this member to poll. */
export function isMember({ phase, epoch }: MemberState): boolean {
  return epoch > 0 && phase !== 'out' && phase !== 'joining' && phase !== 'losing'
}

/** Events that no longer fit (a response to an abandoned request) change nothing. */
export function step(state: MemberState, event: MemberEvent): MemberStep {
  switch (event.type) {
    case 'subscribe':
      return subscribe(state)
    case 'answered':
      return answered(state, event.epoch, event)
    case 'topics-known':
      return state.phase === 'stable' ? reconcile(state, event) : stay(state)
    case 'unassign-called':
      return unassignCalled(state, event.hasPartitions, event)
    case 'assign-called':
      return assignCalled(state, event.hasPartitions)
    case 'fenced':
      return fenced(state, event.hasPartitions)
    case 'refused':
      return fenced({ ...state, isLast: true }, event.hasPartitions)
    case 'leave':
      return leaveRequested(state, event.hasPartitions)
    default:
      return event satisfies never
  }
}

function subscribe(state: MemberState): MemberStep {
  const next = { ...state, isLast: false }
  if (state.phase === 'out') return to(next, 'joining', { do: 'heartbeat' })
  return state.phase === 'losing' || state.phase === 'leaving' ? stay(next) : stay(next, { do: 'heartbeat' })
}

function answered(state: MemberState, epoch: number, difference: Difference): MemberStep {
  const { phase } = state
  if (phase === 'out' || phase === 'losing' || state.isLost) return stay(state)
  const next = { ...state, epoch }
  return phase === 'joining' || phase === 'stable' || phase === 'acknowledging'
    ? reconcile(next, difference)
    : stay(next)
}

function reconcile(state: MemberState, { hasRevoked, hasNew }: Difference): MemberStep {
  if (hasRevoked) return to(state, 'revoking', { do: 'revoke', what: 'revoked' })
  if (hasNew) return to(state, 'assigning', { do: 'assign' })
  return to(state, 'stable')
}

function unassignCalled(state: MemberState, hasPartitions: boolean, { hasNew }: Difference): MemberStep {
  switch (state.phase) {
    case 'revoking':
      if (state.isLost) return lost(state, hasPartitions)
      if (state.isLast) return leaveRequested({ ...state, phase: 'stable' }, hasPartitions)
      return hasNew ? to(state, 'assigning', { do: 'assign' }) : to(state, 'acknowledging', { do: 'heartbeat' })
    case 'losing':
      return state.isLast ? to(outside, 'out', undefined, state) : joinAgain(state)
    case 'leaving':
      if (state.isLost) return lost(state, hasPartitions)
      if (hasPartitions) return to(state, 'leaving', { do: 'revoke', what: 'all' })
      // Subscribed again meanwhile: stays a member, without partitions.
      if (!state.isLast) return to(state, 'acknowledging', { do: 'heartbeat' })
      return to(outside, 'out', { do: 'leave' }, state)
    case 'out':
    case 'joining':
    case 'stable':
    case 'assigning':
    case 'acknowledging':
      return stay(state)
    default:
      return state.phase satisfies never
  }
}

function assignCalled(state: MemberState, hasPartitions: boolean): MemberStep {
  if (state.phase !== 'assigning') return stay(state)
  if (state.isLost) return lost(state, hasPartitions)
  return to(state, 'acknowledging', { do: 'heartbeat' })
}

function fenced(state: MemberState, hasPartitions: boolean): MemberStep {
  const next = { ...state, epoch: 0 }
  switch (state.phase) {
    case 'out':
      return stay(state)
    case 'losing':
      return stay(next)
    case 'revoking':
    case 'leaving':
      // The callback may not have run yet. What is left after it is lost, too.
      return state.isLost ? stay(next) : stay({ ...next, isLost: true }, { do: 'lose' })
    case 'assigning':
      return stay({ ...next, isLost: true })
    case 'joining':
    case 'stable':
    case 'acknowledging':
      return lost(next, hasPartitions)
    default:
      return state.phase satisfies never
  }
}

function lost(state: MemberState, hasPartitions: boolean): MemberStep {
  if (hasPartitions) return to({ ...state, isLost: false }, 'losing', { do: 'lose' })
  return state.isLast ? to(outside, 'out', undefined, state) : joinAgain(state)
}

function leaveRequested(state: MemberState, hasPartitions: boolean): MemberStep {
  const next = { ...state, isLast: true }
  switch (state.phase) {
    case 'out':
      return stay(state)
    case 'losing':
    case 'leaving':
    case 'revoking':
      // Leaves after the pending callback.
      return stay(next)
    case 'joining':
    case 'stable':
    case 'assigning':
    case 'acknowledging':
      if (!hasPartitions) return to(outside, 'out', { do: 'leave' }, state)
      return to(next, 'leaving', { do: 'revoke', what: 'all' })
    default:
      return state.phase satisfies never
  }
}

function joinAgain(state: MemberState): MemberStep {
  return to({ ...state, epoch: 0, isLost: false }, 'joining', { do: 'heartbeat' })
}

function stay(state: MemberState, action?: MemberAction): MemberStep {
  return { state, actions: action === undefined ? [] : [action] }
}

/** The one place where the phase changes. */
function to(state: MemberState, next: MemberPhase, action?: MemberAction, from: MemberState = state): MemberStep {
  if (from.phase !== next && !moves[from.phase].includes(next)) {
    throw new Error(`a group member cannot go from ${from.phase} to ${next}`)
  }
  return stay({ ...state, phase: next }, action)
}
