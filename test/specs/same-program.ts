/** Runs a program with the package that it was written for, and with the facade: what they print has to be the same. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import type { World } from './results.ts'
import { bundleFacade } from './scratch.ts'
import type { SpecBrokers } from './suite.ts'

export interface SameProgram {
  /** The package, as in npm. */
  readonly original: string
  /** The facade's folder in `packages/`. */
  readonly facade: string
  /** `node PROGRAM PACKAGE BROKERS NAME`; names of topics and groups begin with NAME. */
  readonly program: string
  readonly start: (world: World) => Promise<SpecBrokers & { readonly address: string }>
}

/** The command: `--originals FOLDER`, in which the package is installed, and `--on embedded|real`. Ends the process. */
export async function runSameProgram({ original, facade, program, start }: SameProgram): Promise<never> {
  const { values } = parseArgs({
    options: { originals: { type: 'string' }, on: { type: 'string', default: 'embedded' } },
  })
  if (values.originals === undefined) throw new Error(`--originals is to be a folder in which ${original} is installed`)
  const scratch = mkdtempSync(join(tmpdir(), 'ottla-same-program-'))
  const bundle = join(scratch, 'facade.cjs')
  await bundleFacade(facade, bundle)
  const brokers = await start(values.on === 'real' ? 'real' : 'embedded')
  try {
    const output = async (path: string, name: string): Promise<string[]> => {
      const { stdout } = await promisify(execFile)(process.execPath, [program, path, brokers.address, name])
      return stdout.trim().split('\n')
    }
    const theirs = await output(join(resolve(values.originals), 'node_modules', original), 'theirs')
    const ours = await output(bundle, 'ours')
    console.log(ours.join('\n'))
    assert.deepEqual(ours, theirs)
  } finally {
    await brokers.close()
    rmSync(scratch, { recursive: true })
  }
  // The facade's bundler has a process of its own.
  return process.exit(0)
}
