/**
 * The consumer group protocol (KIP-848) as seen by one member: what happened, what follows. Pure: consumer-member.ts
 * sends the heartbeats and keeps the time, rebalance-calls.ts runs the program's callbacks.
 *
 * The coordinator says what the member is to have. What it has beyond that it gives up, then it takes what is new, then
 * it says in a heartbeat what it has. Heartbeats go on all the while.
 */

/**
 * out: not a member; joining: the first heartbeat of a membership is under way; revoking, assigning: the program is
 * being called; acknowledging: the coordinator is being told; losing: the program is being told that others may have
 * everything; leaving: the program gives everything up before the member leaves.
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
  /** 0 until the coordinator has taken the member in. */
  readonly epoch: number
  /** The group has gone on without this member while the program was being called. */
  readonly isLost: boolean
  /** Does not come back: unsubscribed, or refused for good. */
  readonly isLast: boolean
}

export const outside: MemberState = { phase: 'out', epoch: 0, isLost: false, isLast: false }

/** What there is to do until the program has what it is to have. */
export interface Difference {
  /** The program has partitions that are not to be its own. */
  readonly takes: boolean
  /** It is to have partitions that it has not. */
  readonly gives: boolean
}

export type MemberEvent =
  /** Subscribed, or to something else than before. */
  | { readonly type: 'subscribe' }
  /** A heartbeat was taken. */
  | ({ readonly type: 'answered'; readonly epoch: number } & Difference)
  /** Topics have come to be known that the member is to have partitions of. */
  | ({ readonly type: 'looked' } & Difference)
  /** The program has given up what it was called with. */
  | ({ readonly type: 'unassign-called'; readonly hasPartitions: boolean } & Difference)
  /** The program has what it was called with. */
  | { readonly type: 'assign-called'; readonly hasPartitions: boolean }
  /** The coordinator does not know this member or epoch, or the member has left by itself. */
  | { readonly type: 'fenced'; readonly hasPartitions: boolean }
  /** The coordinator will not have this member. */
  | { readonly type: 'refused'; readonly hasPartitions: boolean }
  /** Unsubscribed or closed. */
  | { readonly type: 'leave'; readonly hasPartitions: boolean }

export type MemberAction =
  /** Tell the coordinator now, not in an interval. */
  | { readonly do: 'heartbeat' }
  /** The program is to be called, in its next poll. */
  | { readonly do: 'revoke'; readonly what: 'all' | 'taken' }
  | { readonly do: 'assign' }
  | { readonly do: 'lose' }
  /** Tell the coordinator goodbye. */
  | { readonly do: 'leave' }

export interface MemberStep {
  readonly state: MemberState
  readonly actions: readonly MemberAction[]
}

/** Whether the coordinator waits for the program to poll. */
export function isMember({ phase, epoch }: MemberState): boolean {
  return epoch > 0 && phase !== 'out' && phase !== 'joining' && phase !== 'losing'
}

/** Events that no longer fit (an answer to something given up) change nothing. */
export function step(state: MemberState, event: MemberEvent): MemberStep {
  switch (event.type) {
    case 'subscribe':
      return subscribe(state)
    case 'answered':
      return answered(state, event.epoch, event)
    case 'looked':
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

function reconcile(state: MemberState, { takes, gives }: Difference): MemberStep {
  if (takes) return to(state, 'revoking', { do: 'revoke', what: 'taken' })
  if (gives) return to(state, 'assigning', { do: 'assign' })
  return to(state, 'stable')
}

function unassignCalled(state: MemberState, hasPartitions: boolean, { gives }: Difference): MemberStep {
  switch (state.phase) {
    case 'revoking':
      if (state.isLost) return lost(state, hasPartitions)
      if (state.isLast) return leaveRequested({ ...state, phase: 'stable' }, hasPartitions)
      return gives ? to(state, 'assigning', { do: 'assign' }) : to(state, 'acknowledging', { do: 'heartbeat' })
    case 'losing':
      return state.isLast ? to(outside, 'out', undefined, state) : joinAgain(state)
    case 'leaving':
      if (state.isLost) return lost(state, hasPartitions)
      if (hasPartitions) return to(state, 'leaving', { do: 'revoke', what: 'all' })
      // Subscribed again meanwhile: stays, with nothing in its hands.
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
      // Perhaps the program has not looked yet. What is left after the call is lost, too.
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
      // Follows what the program is being called with.
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
