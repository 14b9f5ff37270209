/** Runs a command, and hands over its output line by line. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface CommandOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly onLine?: (line: string) => void
}

/** Rejects if it cannot be started, not if it fails: suites say by their output what has failed. @returns its exit code */
export async function command(name: string, args: readonly string[], options: CommandOptions): Promise<number> {
  const { cwd, env = {}, onLine = () => undefined } = options
  const child = spawn(name, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => resolve(code ?? -1))
  })
}

/** As `command`; rejects with the end of the output if it fails. */
export async function succeed(name: string, args: readonly string[], options: CommandOptions): Promise<string> {
  const lines: string[] = []
  const code = await command(name, args, { ...options, onLine: line => lines.push(line) })
  if (code !== 0) throw new Error(`${name} ${args.join(' ')} ended with ${code}:\n${lines.slice(-20).join('\n')}`)
  return lines.join('\n')
}
