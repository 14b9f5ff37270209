/** A project with packages for kafkajs from npm, unmodified, whose `kafkajs` is the facade: installed as its page says. */
import { execFile, execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { nodeOf } from '../harness/node-versions.ts'

export interface KafkaJSProject {
  readonly folder: string
  /** Some of the packages take no older Node.js. */
  readonly node: string
  /** What a program of `kafkajs-packages` prints. @param node to run it with */
  run(program: string, args: readonly string[], node?: string): Promise<unknown>
  remove(): void
}

/** What `codecs.mjs` prints: how often the codec was called, and how many messages were read. */
export interface CodecCalls {
  readonly calls: { readonly compress: number; readonly decompress: number }
  readonly count: number
}

const execute = promisify(execFile)
const programs = fileURLToPath(new URL('kafkajs-packages/', import.meta.url))

export async function kafkajsProject(dependencies: Readonly<Record<string, string>>): Promise<KafkaJSProject> {
  const folder = mkdtempSync(join(tmpdir(), 'ottla-kafkajs-'))
  const built = (await import(new URL('../../tools/built.mjs', import.meta.url).href)) as { ensureBuilt(): void }
  built.ensureBuilt()
  const tool = (await import(new URL('../../tools/packages/pack.mjs', import.meta.url).href)) as {
    packAll(destination: string): { readonly name: string; readonly filename: string }[]
  }
  const packed = new Map(tool.packAll(folder).map(({ name, filename }) => [name, `file:${filename}`]))
  const own = { '@ottla/protocol': packed.get('@ottla/protocol'), ottla: packed.get('ottla') }
  const manifest = {
    private: true,
    dependencies: { ...dependencies, ...own, kafkajs: packed.get('@ottla/kafkajs') },
    // As its page says: for packages that ask for a kafkajs of their own.
    overrides: { kafkajs: '$kafkajs' },
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  for (const file of readdirSync(programs)) copyFileSync(join(programs, file), join(folder, file))
  execFileSync('npm', ['install', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'pipe' })
  const latest = nodeOf(24)
  return {
    folder,
    node: latest,
    run: async (program, args, node = latest) => {
      // The brokers are in this process: it must not wait for the program without them.
      const { stdout } = await execute(node, [join(folder, program), ...args], { cwd: folder })
      return JSON.parse(stdout) as unknown
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
