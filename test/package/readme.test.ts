/** The programs in the pages for users are checked by the compiler, as one module for each page. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'

const root = new URL('../../', import.meta.url)
const pages = [
  'README.md',
  'docs/admin.md',
  'docs/producing.md',
  'docs/consuming.md',
  'docs/migrating/kafkajs.md',
  'docs/migrating/node-rdkafka.md',
  'docs/observability.md',
  'docs/migrating/confluent-kafka-javascript.md',
  'docs/migrating/confluent-kafka-go.md',
  'docs/migrating/librdkafka.md',
  'docs/recording.md',
  'docs/schemas.md',
  'docs/security.md',
  'docs/share-groups.md',
  'docs/simulation.md',
  'docs/testing.md',
  'docs/transactions.md',
  'docs/typescript.md',
  ...[
    'ottla',
    'protocol',
    'broker',
    'cli',
    'kafkajs',
    'node-rdkafka',
    'opentelemetry',
    'prometheus',
    'kafka-javascript',
    'schema-registry',
  ].map(name => `packages/${name}/README.md`),
].filter(page => existsSync(new URL(page, root)))
// Below the root, so that the packages are found; git takes no notice of it.
const folder = new URL(`node_modules/.cache/readme-${process.pid}/`, root)

after(() => rmSync(folder, { recursive: true, force: true }))

/** Every ```ts block of a page, its imports merged and in front. */
function programOf(page: string): string {
  const imports = new Map<string, Set<string>>()
  const bodies: string[] = []
  for (const [, block = ''] of readFileSync(new URL(page, root), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)) {
    const body = block.replaceAll(/^import \{([^}]*)\} from '([^']+)';?$/gm, (_, names: string, from: string) => {
      const known = imports.get(from) ?? new Set()
      for (const name of names.split(',')) if (name.trim() !== '') known.add(name.trim())
      imports.set(from, known)
      return ''
    })
    bodies.push(body)
  }
  const lines = [...imports].map(([from, names]) => `import { ${[...names].join(', ')} } from '${from}'`)
  return [...lines, ...bodies, 'export {}'].join('\n')
}

test('what the pages show compiles', () => {
  mkdirSync(folder, { recursive: true })
  pages.forEach((page, i) => writeFileSync(new URL(`page-${i}.ts`, folder), `// ${page}\n${programOf(page)}\n`))
  const base = fileURLToPath(new URL('tsconfig.base.json', root))
  const compilerOptions = {
    noEmit: true,
    composite: false,
    declaration: false,
    declarationMap: false,
    noUnusedLocals: false,
    customConditions: [],
    // Their names where they stand in for others, which cannot be installed without a compiler or a download.
    paths: {
      'node-rdkafka': [fileURLToPath(new URL('packages/node-rdkafka/dist/index.d.ts', root))],
      '@confluentinc/kafka-javascript': [fileURLToPath(new URL('packages/kafka-javascript/dist/index.d.ts', root))],
    },
  }
  writeFileSync(new URL('tsconfig.json', folder), JSON.stringify({ extends: base, compilerOptions, include: ['*.ts'] }))
  const tsc = fileURLToPath(new URL('node_modules/typescript-native/bin/tsc', root))
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', fileURLToPath(folder)], { encoding: 'utf8' })
  assert.equal(stdout, '')
})
