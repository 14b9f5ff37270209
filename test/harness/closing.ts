/** Closes what a test made when the test is over, however it ends. */
import { after } from 'node:test'
import { closeAtEnd, isWatching, type Closable } from './each-test/open-things.ts'

const unwatched: Closable[] = []

/** Has `thing` closed at the end of the test that made it (of its file, where `npm test` does not look after it). */
export function closing<T extends Closable>(thing: T): T {
  if (isWatching()) closeAtEnd(thing)
  else unwatched.push(thing)
  return thing
}

// Before the hooks of the file, which close the clusters.
after(async () => {
  for (const each of unwatched.splice(0).reverse()) await each.close()
})
