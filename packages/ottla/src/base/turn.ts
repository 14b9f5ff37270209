/**
 * Resolves after a turn of the event loop, in which due timers and sockets with data come first.
 * Promises alone never let it turn: a long run of settled ones would starve heartbeats.
 */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
