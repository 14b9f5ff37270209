const settled = Promise.resolve()

/**
 * Runs `task` in a microtask, like queueMicrotask but without the async resource that Node creates for each of its
 * calls. An error that `task` throws becomes an unhandled rejection.
 */
export function enqueueMicrotask(task: () => void): void {
  void settled.then(task)
}
