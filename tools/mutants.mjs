// `npm run simulate:mutants`: plays the simulation with faults put into the client, which it has to find.
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { main } from '../test/simulation/mutants/main.ts'
import { bundleSimulation } from './simulate.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folders = new Set()

const tools = {
  root,
  async bundle(plugins) {
    const folder = await bundleSimulation([...plugins])
    folders.add(folder)
    return folder
  },
  remove(folder) {
    rmSync(folder, { recursive: true, force: true })
    folders.delete(folder)
  },
}

process.on('exit', () => folders.forEach(tools.remove))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

try {
  process.exitCode = await main(tools, process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
}
