/**
 * The states of an idempotent producer's id: `(state, event) -> { state, actions }`, with the names from librdkafka's
 * statistics. producer-identity.ts carries out the actions.
 */
import { ErrorCode } from '@ottla/protocol'

export type IdempotenceName = 'init' | 'reqPid' | 'waitPid' | 'assigned' | 'fatalError'

export interface IdempotenceState {
  readonly name: IdempotenceName
  /** -1 before the first one. */
  readonly producerId: bigint
  readonly producerEpoch: number
}

export type IdempotenceEvent =
  | { readonly is: 'start' }
  | { readonly is: 'granted'; readonly producerId: bigint; readonly producerEpoch: number }
  | { readonly is: 'refused'; readonly code: number; readonly message: string }
  /** The backoff after a refusal is over. */
  | { readonly is: 'retry' }
  /**
   * A partition's sequence has a gap and has to restart, which a higher epoch allows (KIP-360). The producer raises the
   * epoch by itself, because brokers would assign another id: batches of the old id that are still in flight could then
   * be written behind newer ones.
   */
  | { readonly is: 'gap' }
  /** The brokers no longer accept the id. */
  | { readonly is: 'fenced' }

export type IdempotenceAction =
  | { readonly do: 'request' }
  | { readonly do: 'back-off' }
  | { readonly do: 'use'; readonly producerId: bigint; readonly producerEpoch: number }
  | { readonly do: 'fail'; readonly code: number; readonly message: string }

export interface IdempotenceStep {
  readonly state: IdempotenceState
  readonly actions: readonly IdempotenceAction[]
}

const moves: Record<IdempotenceName, readonly IdempotenceName[]> = {
  init: ['waitPid'],
  reqPid: ['waitPid'],
  waitPid: ['assigned', 'reqPid', 'fatalError'],
  assigned: ['assigned', 'waitPid'],
  fatalError: [],
}

// Refusals that a retry cannot change.
const fatal = new Set<number>([
  ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED,
  ErrorCode.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  ErrorCode.ERR__UNSUPPORTED_FEATURE,
  ErrorCode.ERR_UNSUPPORTED_VERSION,
])
const LAST_EPOCH = 0x7fff

export const initialIdempotence: IdempotenceState = { name: 'init', producerId: -1n, producerEpoch: -1 }

/** The next state and the actions to take. An event that does not apply in a state changes nothing. */
export function step(state: IdempotenceState, event: IdempotenceEvent): IdempotenceStep {
  switch (event.is) {
    case 'start':
      return state.name === 'init' ? request(state) : stay(state)
    case 'retry':
      return state.name === 'reqPid' ? request(state) : stay(state)
    case 'gap': {
      if (state.name !== 'assigned') return stay(state)
      const { producerId, producerEpoch } = state
      return producerEpoch < LAST_EPOCH ? use(state, producerId, producerEpoch + 1) : request(state)
    }
    case 'fenced':
      return state.name === 'assigned' ? request(state) : stay(state)
    case 'granted':
      return state.name === 'waitPid' ? use(state, event.producerId, event.producerEpoch) : stay(state)
    case 'refused': {
      if (state.name !== 'waitPid') return stay(state)
      const { code, message } = event
      if (fatal.has(code)) {
        return { state: { ...state, name: enter(state, 'fatalError') }, actions: [{ do: 'fail', code, message }] }
      }
      return { state: { ...state, name: enter(state, 'reqPid') }, actions: [{ do: 'back-off' }] }
    }
    default:
      return event satisfies never
  }
}

function request(state: IdempotenceState): IdempotenceStep {
  return { state: { ...state, name: enter(state, 'waitPid') }, actions: [{ do: 'request' }] }
}

function use(state: IdempotenceState, producerId: bigint, producerEpoch: number): IdempotenceStep {
  return {
    state: { name: enter(state, 'assigned'), producerId, producerEpoch },
    actions: [{ do: 'use', producerId, producerEpoch }],
  }
}

function stay(state: IdempotenceState): IdempotenceStep {
  return { state, actions: [] }
}

function enter(state: IdempotenceState, next: IdempotenceName): IdempotenceName {
  if (!moves[state.name].includes(next)) throw new Error(`idempotence ${state.name} -> ${next} is not a legal move`)
  return next
}
