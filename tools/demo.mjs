// `npm run demo`: from a bare clone to the running demo.
import { spawnSync } from 'node:child_process'
import { cli, ensureBuilt } from './built.mjs'

ensureBuilt()
const { status } = spawnSync(process.execPath, [cli, 'demo', ...process.argv.slice(2)], { stdio: 'inherit' })
process.exit(status ?? 1)
