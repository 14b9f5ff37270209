/** The events of an admin client. */
import type { Event } from '../types.ts'

/**
 * The events of an admin client; the outcome of a call goes to its promise.
 * @since 0.1.0
 */
export type AdminEvent = Extract<Event, { type: 'error' | 'stats' | 'throttle' | 'request' | 'log' }>

/**
 * A listener for one type of events.
 * @since 0.1.0
 */
export type AdminListener<T extends AdminEvent['type']> = (event: Extract<AdminEvent, { type: T }>) => void
