import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
// The tool is plain JavaScript: it must run before anything is built.
const rooms = (await import(new URL('../../tools/rooms.mjs', import.meta.url).href)) as {
  forbiddenImports(folder: string): Promise<{ violations: string[] }>
}

const root = fileURLToPath(new URL('../../', import.meta.url))

/** File and the only line in it; every target exists in the tree below. */
const forbidden: [file: string, line: string, rule: string][] = [
  ['packages/ottla/src/network/a.ts', "import '../cluster/a.ts'", 'ottla-network'],
  ['packages/ottla/src/producer/b.ts', "import type { A } from '../consumer/a.ts'", 'ottla-producer'],
  ['packages/ottla/src/producer/queue/cc.ts', "import type { A } from '../send/a.ts'", 'ottla-producer-queue'],
  ['packages/ottla/src/producer/send/dd.ts', "import type { A } from '../a.ts'", 'ottla-producer-send'],
  ['packages/ottla/src/admin/c.ts', "export type { A } from '../producer/a.ts'", 'ottla-admin'],
  ['packages/ottla/src/base/d.ts', "import type { A } from '@ottla/protocol'", 'ottla-base'],
  ['packages/ottla/src/config/e.ts', "import '../observe/a.ts'", 'ottla-config'],
  ['packages/ottla/src/cluster/f.ts', "import '../index.ts'", 'no-index-inside'],
  ['packages/ottla/src/consumer/read/aa.ts', "import type { A } from '../group/a.ts'", 'consumer-read'],
  ['packages/ottla/src/consumer/run/ab.ts', "import '../a.ts'", 'consumer-run'],
  ['packages/protocol/src/generated/g.ts', "import '../record/a.ts'", 'protocol-generated'],
  ['packages/protocol/src/wire/h.ts', "import '../generated/a.ts'", 'protocol-wire'],
  ['packages/protocol/src/record/i.ts', "import 'node:net'", 'protocol-is-bytes'],
  ['packages/broker/src/j.ts', "import type { A } from 'ottla'", 'broker-protocol-only'],
  ['packages/broker/src/topics/v.ts', "import type { A } from '../groups/a.ts'", 'broker-topics'],
  ['packages/broker/src/groups/w.ts', "import type { A } from '../storage/a.ts'", 'broker-groups'],
  ['packages/broker/src/handlers/x.ts', "import '../stores.ts'", 'broker-handlers'],
  ['packages/cli/src/k.ts', "import '../../ottla/src/network/a.ts'", 'cli-public-only'],
  ['packages/cli/src/l.ts', "import '../../ottla/src/index.ts'", 'packages-by-name'],
  ['packages/cli/src/produce/aa.ts', "import '../consume/a.ts'", 'cli-produce'],
  ['packages/ottla/src/cluster/m.ts', "import '../../test/a.ts'", 'source-not-tests'],
  ['packages/ottla/src/cluster/n.ts', "import './nowhere.ts'", 'not-resolved'],
  ['packages/ottla/src/cluster/o.ts', "import 'esbuild'", 'published-dependencies'],
  ['packages/ottla/src/cluster/p.ts', "import type { B } from './q.ts'", 'no-cycles'],
]

const innocent: [file: string, line: string][] = [
  ['packages/ottla/src/cluster/q.ts', "import type { A } from './p.ts'"],
  ['packages/ottla/src/producer/send/ee.ts', "import '../queue/a.ts'"],
  ['packages/ottla/src/consumer/r.ts', "import '../cluster/a.ts'"],
  ['packages/ottla/src/consumer/s.ts', "import { A } from '@ottla/protocol'"],
  ['packages/ottla/src/consumer/group/ac.ts', "import '../read/a.ts'"],
  ['packages/ottla/src/consumer/offsets/ad.ts', "import { A } from '../arguments.ts'"],
  ['packages/cli/src/t.ts', "import { A } from 'ottla'"],
  ['packages/cli/src/produce/bb.ts', "import '../client/a.ts'"],
  ['packages/broker/src/transactions/y.ts', "import '../groups/a.ts'"],
  ['packages/broker/src/z.ts', "import './storage/a.ts'"],
  ['packages/broker/src/u.ts', "import { createServer } from 'node:net'"],
]

const targets = [
  ...['base', 'config', 'observe', 'network', 'cluster', 'producer', 'consumer'].map(room => `ottla/src/${room}/a.ts`),
  ...['queue', 'send'].map(room => `ottla/src/producer/${room}/a.ts`),
  ...['wire', 'generated', 'record'].map(room => `protocol/src/${room}/a.ts`),
  ...['ottla', 'protocol', 'broker', 'cli'].map(name => `${name}/src/index.ts`),
  ...['read', 'group'].map(room => `ottla/src/consumer/${room}/a.ts`),
  'ottla/src/consumer/arguments.ts',
  ...['topics', 'groups', 'storage'].map(room => `broker/src/${room}/a.ts`),
  ...['client', 'consume'].map(room => `cli/src/${room}/a.ts`),
  'broker/src/stores.ts',
  'ottla/test/a.ts',
]

let tree: string

before(() => {
  tree = mkdtempSync(join(tmpdir(), 'ottla-rooms-'))
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(tree, file)), { recursive: true })
    writeFileSync(join(tree, file), `${text}\n`)
  }
  for (const target of targets) write(join('packages', target), 'export type A = 1; export const A = 1')
  for (const [file, line] of [...forbidden, ...innocent]) write(file, line)
  for (const name of ['package.json', 'tsconfig.base.json']) cpSync(join(root, name), join(tree, name))
  mkdirSync(join(tree, 'node_modules/@ottla'), { recursive: true })
  for (const name of ['ottla', 'protocol', 'broker', 'cli']) {
    cpSync(join(root, 'packages', name, 'package.json'), join(tree, 'packages', name, 'package.json'))
    const link = name === 'ottla' ? name : `@ottla/${name}`
    symlinkSync(join(tree, 'packages', name), join(tree, 'node_modules', link), 'dir')
  }
  symlinkSync(join(root, 'node_modules/esbuild'), join(tree, 'node_modules/esbuild'), 'dir')
})

after(() => {
  rmSync(tree, { recursive: true })
})

test('every kind of forbidden import is caught, type imports included, and allowed ones are not', async () => {
  const { violations } = await rooms.forbiddenImports(tree)
  for (const [file, , rule] of forbidden) {
    assert.ok(
      violations.some(violation => violation.startsWith(`${rule}: ${file} -> `)),
      `${rule} did not catch ${file}; caught were:\n${violations.join('\n')}`,
    )
  }
  for (const [file] of innocent.slice(1)) {
    assert.deepEqual(
      violations.filter(violation => violation.includes(`: ${file} `)),
      [],
    )
  }
})
