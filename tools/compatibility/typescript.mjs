// The declarations, for each TypeScript and each way of finding them, with everything checked (`skipLibCheck: false`): by an
// ES module and a CommonJS module, with `types: ["node"]` and with none.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runTool } from './project.mjs'

const versions = ['5.0', '5.1', '5.2', '5.3', '5.4', '5.5', '5.6', '5.7', '5.8', '5.9', '6.0', '7.0']
// The older ones take seconds for each.
const quick = new Set(['7.0 node16', '7.0 nodenext', '7.0 bundler'])
// The newest types of Node.js 20 that a TypeScript can read.
const nodeTypes = version => (Number(version) < 5.3 ? '~20.11' : '^20')

const resolutions = {
  node10: { module: 'commonjs', moduleResolution: 'node10' },
  node16: { module: 'node16', moduleResolution: 'node16' },
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
}

const program = readFileSync(new URL('program.ts', import.meta.url), 'utf8')
const required = `import ottla = require('ottla')
import broker = require('@ottla/broker')
import simulation = require('@ottla/broker/simulation')
import testing = require('@ottla/broker/testing')
import cli = require('@ottla/cli')
import facade = require('@ottla/kafkajs')
import confluent = require('@confluentinc/kafka-javascript')
import kafkajs = require('kafkajs')
import rdkafka = require('node-rdkafka')
import protocol = require('@ottla/protocol')
export const producer = new ottla.Producer({ 'bootstrap.servers': 'localhost:9092' })
export const cluster: Promise<broker.EmbeddedCluster> = broker.EmbeddedCluster.start()
export const dice = new simulation.Dice(7)
export type Code = ottla.KafkaError['code']
export const eventually: typeof testing.eventually = testing.eventually
export const run: (args: readonly string[], terminal: cli.Terminal) => Promise<number> = cli.run
export const facades: facade.Kafka[] = [new kafkajs.Kafka({ brokers: ['localhost:9092'] })]
export const level: kafkajs.logLevel = kafkajs.logLevel.INFO
export const others: [confluent.KafkaJS.Kafka, rdkafka.Producer] = [
  new confluent.KafkaJS.Kafka({ kafkaJS: { brokers: ['localhost:9092'] } }),
  new rdkafka.Producer({ 'metadata.broker.list': 'localhost:9092' }),
]
export const states: confluent.RdKafka.ConsumerGroupStates = confluent.ConsumerGroupStates.STABLE
export const writer = new protocol.Writer()
`

/** What the types must take and refuse, with the packed declarations in place of the source. */
const typeTests = new URL('../../packages/ottla/test/types/', import.meta.url)
const taught = Object.fromEntries(
  readdirSync(typeTests).map(name => {
    const text = readFileSync(new URL(name, typeTests), 'utf8')
    return [`types/${name}`, text.replace("'../../src/index.ts'", "'ottla'").replace("'./same.ts'", "'./same.js'")]
  }),
)

/** @type {import('./main.mjs').Check[]} */
export const compilers = versions.flatMap(version =>
  Object.keys(resolutions)
    .filter(resolution => resolution !== 'node10' || version !== '7.0')
    .map(resolution => ({
      group: 'TypeScript',
      row: `TypeScript ${version}`,
      column: resolution,
      isQuick: quick.has(`${version} ${resolution}`),
      name: `typescript-${version}`,
      dependencies: { typescript: `~${version}.0`, '@types/node': nodeTypes(version) },
      files: {
        'module.mts': program,
        'common.cts': program,
        'required.cts': required,
        'program.ts': program,
        ...taught,
        'required.ts': required,
      },
      run: folder => compile(folder, version, resolution),
    })),
)

async function compile(folder, version, resolution) {
  // These two go by the kind of the file, the others by their own.
  const programs = {
    node10: ['program.ts', 'required.ts'],
    bundler: ['program.ts'],
  }[resolution] ?? ['module.mts', 'common.cts', 'required.cts']
  const files = [...programs, ...Object.keys(taught)]
  const compilerOptions = {
    ...resolutions[resolution],
    ...(version === '6.0' && resolution === 'node10' ? { ignoreDeprecations: '6.0' } : {}),
    target: 'es2022',
    strict: true,
    skipLibCheck: false,
    noEmit: true,
  }
  for (const types of [['node'], []]) {
    const config = { compilerOptions: { ...compilerOptions, types }, files }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    await runTool(folder, 'typescript/bin/tsc', ['-p', '.'])
  }
}
