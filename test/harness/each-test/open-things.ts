/** What tests have opened and must close: clients, clusters, proxies. Each belongs to the test that made it. */
import { AsyncLocalStorage } from 'node:async_hooks'

/** How long one thing may take to close after its test. */
const CLOSE_MS = 30_000

export interface Closable {
  close(): unknown
}

interface OpenThing {
  readonly name: string
  readonly close: () => unknown
  /** Whether the harness is to close it (`closing`). */
  isOurs: boolean
}

/** The things that one test, or a file outside its tests, has opened. */
export class Scope {
  readonly open = new Map<object, OpenThing>()
  readonly closing = new Set<Promise<unknown>>()

  /** Waits for pending closes, closes what is still open, newest first. @returns what was left open */
  async end(): Promise<string[]> {
    // A connection closed by the other side is noticed a moment later.
    for (let i = 0; i < 20 && this.open.size > 0; i++) await new Promise(resolve => setTimeout(resolve, 5))
    const left = [...this.open.entries()].reverse()
    const names = left.filter(([, { isOurs }]) => !isOurs).map(([, { name }]) => name)
    for (const [thing, { name, close }] of left) {
      this.open.delete(thing)
      const way = await settled(Promise.resolve().then(close))
      if (way !== 'done') names.push(`${name}, which cannot be closed: ${way}`)
    }
    for (const closing of [...this.closing]) {
      const way = await settled(closing)
      if (way === 'late') names.push('something whose close() does not come to an end')
    }
    return names
  }
}

async function settled(promise: Promise<unknown>): Promise<string> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>(resolve => {
    timer = setTimeout(resolve, CLOSE_MS, 'late')
  })
  const done = promise.then(
    () => 'done',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  const way = await Promise.race([done, late])
  clearTimeout(timer)
  return way
}

let isActive = false

/** Called by `main.ts`, which ends scopes. */
export function startWatching(): void {
  isActive = true
}

export function isWatching(): boolean {
  return isActive
}

const current = new AsyncLocalStorage<Scope>()
const owners = new WeakMap<object, Scope>()

/** The scope of things made outside tests: by hooks and at the top of a file. */
export const fileScope = new Scope()

export function runIn<T>(scope: Scope, call: () => T): T {
  return current.run(scope, call)
}

/**
 * Registers `thing` as open until `closed(thing)`. If its test does not close it, `npm test` does, and fails the test.
 */
export function opened(thing: object, name: string, close: () => unknown): void {
  const scope = current.getStore() ?? fileScope
  owners.set(thing, scope)
  scope.open.set(thing, { name: `${name}${madeAt()}`, close, isOurs: false })
}

/** Closes `thing` at the end of the test that made it; the test does not fail for it. */
export function closeAtEnd(thing: Closable): void {
  const noted = owners.get(thing)?.open.get(thing)
  if (noted === undefined) opened(thing, 'what is closed with the test', () => thing.close())
  const ours = owners.get(thing)?.open.get(thing)
  if (ours !== undefined) ours.isOurs = true
}

/** Keeps `thing` open beyond the test that made it, for the others of the file; the file closes it. */
export function lasting<T extends object>(thing: T): T {
  const noted = owners.get(thing)?.open.get(thing)
  if (noted === undefined) return thing
  owners.get(thing)?.open.delete(thing)
  owners.set(thing, fileScope)
  fileScope.open.set(thing, noted)
  return thing
}

/** Registers that `thing` is closed, or will be when the promise settles. */
export function closed(thing: object, closing?: unknown): void {
  const scope = owners.get(thing)
  if (scope?.open.delete(thing) !== true || !(closing instanceof Promise)) return
  const quiet = closing.catch(() => undefined).finally(() => scope.closing.delete(quiet))
  scope.closing.add(quiet)
}

const here = new URL('..', import.meta.url).href

/** The line of the test that called. */
function madeAt(): string {
  const lines = (new Error().stack ?? '').split('\n').slice(1)
  const line = lines.find(each => /[\\/]test[\\/]/.test(each) && !each.includes(here) && !/harness[\\/]/.test(each))
  const place = /([^\\/(\s]+:\d+):\d+\)?$/.exec(line ?? '')?.[1]
  return place === undefined ? '' : ` (${place})`
}
