/**
 * Resolves after the event loop has turned: timers that are due and sockets that have data come first.
 * Promises alone never let it turn, so a long run of settled ones would starve heartbeats.
 */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
