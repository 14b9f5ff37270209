/** Closes what a test has opened when the test ends, however it ends. */
import { after } from 'node:test'
import { closeAtEnd, isWatching, type Closable } from './each-test/open-things.ts'

const unwatched: Closable[] = []

/** Closes `thing` at the end of the test that made it; at the end of the file, outside of `npm test`. */
export function closing<T extends Closable>(thing: T): T {
  if (isWatching()) closeAtEnd(thing)
  else unwatched.push(thing)
  return thing
}

// Registered before the hooks of the file, which close the clusters.
after(async () => {
  for (const each of unwatched.splice(0).reverse()) await each.close()
})
