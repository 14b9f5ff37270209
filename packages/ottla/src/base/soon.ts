const settled = Promise.resolve()

/**
 * Runs `task` as soon as the present code has run, as queueMicrotask does, without the async resource that Node makes
 * for each of those. What `task` throws becomes an unhandled rejection.
 */
export function soon(task: () => void): void {
  void settled.then(task)
}
