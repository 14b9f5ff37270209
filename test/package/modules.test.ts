/** Both module systems, from packed packages in an empty project. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { installedProject, packable, type Project } from './installed.ts'
import { node, root } from './program.ts'

const entries = [
  'ottla',
  '@ottla/protocol',
  '@ottla/broker',
  '@ottla/broker/simulation',
  '@ottla/broker/testing',
  '@ottla/cli',
  '@ottla/kafkajs',
  '@ottla/opentelemetry',
  '@ottla/prometheus',
  '@ottla/schema-registry',
  '@ottla/schema-registry/embedded',
]
const roundTrip = `
  const cluster = await EmbeddedCluster.start()
  const settings = { 'bootstrap.servers': cluster.bootstrapServers, 'group.id': 'g', 'auto.offset.reset': 'earliest' }
  const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers })
  await producer.send({ topic: 'greetings', value: 'hello' })
  const consumer = new Consumer(settings)
  consumer.subscribe('greetings')
  console.log(String((await consumer.readMessage(20_000)).value))
  await Promise.all([producer.close(), consumer.close()])
  await cluster.close()
`
/** A program for kafkajs. */
const facade = (kafkajs: string, broker: string): string => `
  const { Kafka } = ${kafkajs}
  const { EmbeddedCluster } = ${broker}
  const cluster = await EmbeddedCluster.start()
  const kafka = new Kafka({ clientId: 'billing', brokers: cluster.bootstrapServers.split(','), logLevel: 0 })
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic: 'bills', messages: [{ key: 'alice', value: '12.50' }] })
  await producer.disconnect()
  const consumer = kafka.consumer({ groupId: 'g' })
  await consumer.connect()
  await consumer.subscribe({ topics: ['bills'], fromBeginning: true })
  await new Promise(resolve => {
    void consumer.run({ eachMessage: async ({ message }) => resolve(console.log(String(message.value))) })
  })
  await consumer.disconnect()
  await cluster.close()
`
let project: Project

before(async () => {
  project = await installedProject()
})
after(() => project.remove())

async function output(file: string, program: string): Promise<string> {
  project.write(file, program)
  const { code, out, err } = await node([file], { cwd: project.folder })
  assert.deepEqual({ code, err }, { code: 0, err: '' }, out)
  return out
}

test('CommonJS requires the client and the embedded cluster', async () => {
  const program = `const { Consumer, Producer } = require('ottla')
    const { EmbeddedCluster } = require('@ottla/broker')
    async function main() {${roundTrip}}
    main()`
  assert.equal(await output('program.cjs', program), 'hello\n')
})

test('an ES module imports them', async () => {
  const program = `import { Consumer, Producer } from 'ottla'
    import { EmbeddedCluster } from '@ottla/broker'
    ${roundTrip}`
  assert.equal(await output('program.mjs', program), 'hello\n')
})

test('CommonJS requires the package with the API of kafkajs, an ES module imports it', async () => {
  const required = `async function main() {${facade("require('@ottla/kafkajs')", "require('@ottla/broker')")}}\nmain()`
  assert.equal(await output('facade.cjs', required), '12.50\n')
  const imported = facade("await import('@ottla/kafkajs')", "await import('@ottla/broker')")
  assert.equal(await output('facade.mjs', imported), '12.50\n')
})

test('installed as kafkajs, it is what a program for kafkajs loads', async () => {
  // Where npm puts `"kafkajs": "npm:@ottla/kafkajs"`; next to this program, so that it is found before any other.
  project.unpack('@ottla/kafkajs', 'alias/node_modules/kafkajs')
  assert.equal(manifestOf('kafkajs', 'alias/node_modules').name, '@ottla/kafkajs')
  const required = `async function main() {${facade("require('kafkajs')", "require('@ottla/broker')")}}\nmain()`
  assert.equal(await output('alias/program.cjs', required), '12.50\n')
  const imported = facade("await import('kafkajs')", "await import('@ottla/broker')")
  assert.equal(await output('alias/program.mjs', imported), '12.50\n')
})

test('every entry exports the same things to both, and has them once in a process', async () => {
  const program = `import { createRequire } from 'node:module'
    const require = createRequire(import.meta.url)
    for (const entry of ${JSON.stringify(entries)}) {
      const required = require(entry)
      const { default: _, 'module.exports': __, ...imported } = await import(entry)
      const names = Object.keys(required).sort()
      const same = names.every(name => required[name] === imported[name])
      console.log(entry, names.length > 0 && same && names.join() === Object.keys(imported).sort().join())
    }`
  assert.equal(await output('both.mjs', program), entries.map(entry => `${entry} true\n`).join(''))
})

test('a producer that was required takes part in what was imported', async () => {
  const program = `import { createRequire } from 'node:module'
    import { AdminClient, Consumer, KafkaError } from 'ottla'
    import { EmbeddedCluster } from '@ottla/broker'
    const { Producer } = createRequire(import.meta.url)('ottla')
    const cluster = await EmbeddedCluster.start()
    const settings = { 'bootstrap.servers': cluster.bootstrapServers }
    const producer = new Producer({ ...settings, 'transactional.id': 't' })
    await producer.send({ topic: 'in', value: 'a' }).catch(error => console.log(error instanceof KafkaError, error.name))
    const admin = AdminClient.from(producer)
    await admin.createTopics([{ topic: 'in', numPartitions: 1 }])
    await producer.transaction(tx => tx.produce({ topic: 'in', value: 'a' }))
    const consumer = new Consumer({ ...settings, 'group.id': 'g', 'auto.offset.reset': 'earliest', 'enable.auto.commit': false })
    consumer.subscribe('in')
    const stop = new AbortController()
    await producer.transactional(consumer, (batch, tx) => {
      for (const { value } of batch) tx.produce({ topic: 'out', value })
      stop.abort()
    }, { signal: stop.signal })
    console.log(cluster.messages('out').map(({ value }) => String(value)).join())
    await Promise.all([producer.close(), consumer.close(), admin.close()])
    await cluster.close()`
  assert.equal(await output('mixed.mjs', program), 'true ERR__STATE\na\n')
})

test('an error of another copy of the package is recognised', async () => {
  project.unpack('ottla', 'other/node_modules/ottla')
  const program = `const { KafkaError, Producer } = require('ottla')
    const other = require('./other/node_modules/ottla/dist/index.cjs')
    console.log(other.Producer === Producer)
    try { new other.Producer({ 'no.such.key': 1 }) } catch (error) {
      console.log(error instanceof KafkaError, error instanceof other.KafkaError, error.name)
    }`
  assert.equal(await output('copies.cjs', program), 'false\ntrue true ERR__INVALID_ARG\n')
})

test('the command of the installed package runs', async () => {
  const { code, out, err } = await node([join('node_modules', '@ottla', 'cli', 'bin', 'ottla.js'), '--version'], {
    cwd: project.folder,
  })
  assert.deepEqual({ code, out }, { code: 0, out: '0.1.0\n' }, err)
})

/** What `dist` of a package should have. */
function meantOf(manifest: Manifest): RegExp {
  const entries = Object.keys(manifest.exports).filter(subpath => subpath !== './package.json')
  const names = entries.map(subpath => (subpath === '.' ? 'index' : subpath.slice(2))).join('|')
  // A package with a command has the module that it runs.
  const programs = manifest.bin === undefined ? '' : '|main\\.cjs'
  return new RegExp(`^dist/((${names})\\.(cjs|js|d\\.cts|d\\.ts)|chunk-\\w+\\.cjs|esm/.*\\.js${programs})$`)
}

test('a package contains what is run and declared, and nothing of the build', () => {
  for (const { name, files } of project.packed) {
    const manifest = manifestOf(name)
    const meant = meantOf(manifest)
    const paths = files.map(({ path }) => path)
    const commands = Object.values(manifest.bin ?? {})
    assert.deepEqual(
      paths.filter(path => !meant.test(path)).sort(),
      ['LICENSE', 'README.md', ...commands, 'package.json'],
      name,
    )
    for (const path of ['index.cjs', 'index.js', 'index.d.cts', 'index.d.ts', 'esm/index.js']) {
      assert.ok(paths.includes(`dist/${path}`), `${name}: ${path}`)
    }
  }
})

test('npm pack --dry-run in a folder of the repository lists the same files', async () => {
  for (const { name, files } of project.packed) {
    const listed = await packable(join(root, 'packages', name.replace(/^@ottla\//, '')))
    const [here, published] = [listed.files, files].map(each => each.map(({ path }) => path).sort())
    assert.deepEqual(here, published, name)
  }
})

test('every file that a package.json names is in the package', () => {
  for (const { name } of project.packed) {
    const folder = join(project.folder, 'node_modules', name)
    const { main, types, exports, typesVersions, bin } = manifestOf(name)
    const named = [main, types, exports, typesVersions, bin].flatMap(pathsIn)
    assert.ok(named.length > 0)
    assert.deepEqual(
      named.filter(path => !existsSync(join(folder, path))),
      [],
      name,
    )
  }
})

interface Manifest {
  readonly name: string
  readonly main: string
  readonly types: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly typesVersions?: unknown
  readonly bin?: Readonly<Record<string, string>>
}

/** The package.json of an installed package. */
function manifestOf(name: string, modules = 'node_modules'): Manifest {
  return JSON.parse(readFileSync(join(project.folder, modules, name, 'package.json'), 'utf8')) as Manifest
}

/** The texts in a value of JSON, however deep. */
function pathsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(pathsIn) : []
}
