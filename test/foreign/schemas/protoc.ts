/** Google's compiler of `.proto` files, which knows nothing of our parser: descriptors for the programs of others. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder, once } from '../../harness/jars.ts'

const run = promisify(execFile)

/** A wheel of Python with the compiler in it. */
const TOOLS = 'grpcio-tools==1.85.1'

/**
 * Compiles files, given by path.
 * @returns a FileDescriptorSet in base64, with all that they import, each after its own imports
 */
export async function protoc(files: Readonly<Record<string, string>>): Promise<string> {
  const tools = await once(TOOLS, join(cacheFolder, TOOLS), async folder => {
    process.stderr.write(`% installing ${TOOLS} (once)\n`)
    const flags = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:']
    await run('python3', ['-m', 'pip', 'install', ...flags, '--target', folder, TOOLS])
  })
  const folder = mkdtempSync(join(tmpdir(), 'ottla-protoc-'))
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    const output = join(folder, 'set.bin')
    const roots = [folder, join(tools, 'grpc_tools', '_proto')].map(root => `-I${root}`)
    const args = ['-m', 'grpc_tools.protoc', ...roots, '--include_imports', `--descriptor_set_out=${output}`]
    await run('python3', [...args, ...Object.keys(files)], { cwd: folder, env: { ...process.env, PYTHONPATH: tools } })
    return readFileSync(output).toString('base64')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
