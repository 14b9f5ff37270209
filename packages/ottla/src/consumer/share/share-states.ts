/** The states of a member of a share group (KIP-932). Pure: share-member.ts sends the heartbeats and keeps the time. */

/**
 * out: not a member; joining: the first heartbeat of a membership is due or in flight; member: the coordinator has
 * accepted it; parked: it has left until the application polls again; refused: the coordinator will never accept it.
 */
export type SharePhase = 'out' | 'joining' | 'member' | 'parked' | 'refused'

const moves: Readonly<Record<SharePhase, readonly SharePhase[]>> = {
  out: ['joining'],
  joining: ['member', 'joining', 'parked', 'refused', 'out'],
  member: ['joining', 'parked', 'refused', 'out'],
  parked: ['joining', 'out'],
  refused: ['out'],
}

export interface ShareMemberState {
  readonly phase: SharePhase
  /** 0 until the coordinator has accepted the member. */
  readonly epoch: number
}

export const outside: ShareMemberState = { phase: 'out', epoch: 0 }

export type ShareMemberEvent =
  | { readonly type: 'subscribe' }
  /** A heartbeat succeeded. */
  | { readonly type: 'answered'; readonly epoch: number }
  /** The coordinator does not know the member, or another epoch of it. */
  | { readonly type: 'fenced' }
  | { readonly type: 'refused' }
  /** max.poll.interval.ms has passed without a poll. */
  | { readonly type: 'poll-exceeded' }
  | { readonly type: 'polled' }
  | { readonly type: 'leave' }

export type ShareMemberAction = 'heartbeat' | 'leave' | 'drop-assignment'

export interface ShareMemberStep {
  readonly state: ShareMemberState
  readonly actions: readonly ShareMemberAction[]
}

/** Events that no longer fit change nothing. */
export function step(state: ShareMemberState, event: ShareMemberEvent): ShareMemberStep {
  const { phase } = state
  switch (event.type) {
    case 'subscribe':
      if (phase === 'out') return to(state, 'joining', 0, 'heartbeat')
      return phase === 'joining' || phase === 'member' ? { state, actions: ['heartbeat'] } : stay(state)
    case 'answered':
      if (phase === 'joining') return to(state, 'member', event.epoch)
      return phase === 'member' ? stay({ phase, epoch: event.epoch }) : stay(state)
    case 'fenced':
      return phase === 'joining' || phase === 'member' ? to(state, 'joining', 0, 'drop-assignment') : stay(state)
    case 'refused':
      return phase === 'joining' || phase === 'member' ? to(state, 'refused', 0, 'drop-assignment') : stay(state)
    case 'poll-exceeded':
      return phase === 'member' ? to(state, 'parked', 0, 'drop-assignment', 'leave') : stay(state)
    case 'polled':
      return phase === 'parked' ? to(state, 'joining', 0, 'heartbeat') : stay(state)
    case 'leave': {
      if (phase === 'out') return stay(state)
      // A joining member may have been accepted without knowing it yet.
      const isKnown = phase === 'member' || phase === 'joining'
      return isKnown ? to(state, 'out', 0, 'drop-assignment', 'leave') : to(state, 'out', 0, 'drop-assignment')
    }
    default:
      return event satisfies never
  }
}

function stay(state: ShareMemberState): ShareMemberStep {
  return { state, actions: [] }
}

/** The one place where the phase changes. */
function to(
  state: ShareMemberState,
  phase: SharePhase,
  epoch: number,
  ...actions: ShareMemberAction[]
): ShareMemberStep {
  if (!moves[state.phase].includes(phase)) {
    throw new Error(`a member of a share group cannot go from ${state.phase} to ${phase}`)
  }
  return { state: { phase, epoch }, actions }
}
