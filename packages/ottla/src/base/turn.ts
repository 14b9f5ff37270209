/**
 * Resolves after a turn of the event loop, in which due timers and sockets with data come first.
 * Promises alone never let it turn: a long run of settled ones would starve heartbeats.
 */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** Rejects after a turn of the event loop: an application that keeps calling must not starve everything else. */
export async function rejectLater(error: Error): Promise<never> {
  await nextTurn()
  throw error
}
