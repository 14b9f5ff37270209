/** Work that Node does on threads of its own. Passed in, so that a simulation can say when it is done. */

/**
 * Runs work that is done on other threads.
 * @since 0.1.0
 */
export interface Threads {
  /** Starts the work; settles with what it settles with, perhaps later. */
  run<T>(work: () => Promise<T>): Promise<T>
}

/** Done when it is done. */
export const systemThreads: Threads = { run: work => work() }
