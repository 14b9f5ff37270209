import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's root: programs that run there find the built packages. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

const TIME_LIMIT_MS = 180_000

/** Runs node with the packages as they are published (built, no source condition) and waits for it to end by itself. */
export async function node(
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; binary?: string } = {},
): Promise<Ended> {
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env
  const child = spawn(options.binary ?? process.execPath, args, {
    cwd: options.cwd ?? root,
    env: { ...env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIME_LIMIT_MS,
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, err }
}
