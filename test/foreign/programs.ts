/** Foreign clients are had from their registries the first time, and kept where Kafka's jars are. */
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cacheFolder, classesOf, jarsOf, once, type KafkaJars } from '../harness/jars.ts'
import { schemaClassPath } from '../harness/schema-java.ts'
import { ProgramPeer } from './peer.ts'

const run = promisify(execFile)
const here = dirname(fileURLToPath(import.meta.url))

const CONFLUENT_KAFKA = 'confluent-kafka==2.16.1'

/** librdkafka, in the wheel for Python. */
export async function librdkafka(bootstrapServers: string): Promise<ProgramPeer> {
  const wheels = await once(CONFLUENT_KAFKA, join(cacheFolder, CONFLUENT_KAFKA), async folder => {
    process.stderr.write(`% installing ${CONFLUENT_KAFKA} (once)\n`)
    const flags = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:']
    await run('python3', ['-m', 'pip', 'install', ...flags, '--target', folder, CONFLUENT_KAFKA])
  })
  return new ProgramPeer('python3', [join(here, 'python', 'peer.py'), bootstrapServers], { PYTHONPATH: wheels })
}

const PYTHON_SERDES = 'confluent-kafka[avro,json,protobuf]==2.16.1'

/** The serdes of the same wheel, with what they depend on. */
export async function pythonSchemas(registryUrl: string): Promise<ProgramPeer> {
  const name = PYTHON_SERDES.replaceAll(/\W+/g, '-')
  const packages = await once(name, join(cacheFolder, name), async folder => {
    process.stderr.write(`% installing ${PYTHON_SERDES} (once)\n`)
    const flags = ['--quiet', '--disable-pip-version-check', '--only-binary', ':all:']
    await run('python3', ['-m', 'pip', 'install', ...flags, '--target', folder, PYTHON_SERDES])
  })
  return new ProgramPeer('python3', [join(here, 'python', 'schemas.py'), registryUrl], { PYTHONPATH: packages })
}

const JAVASCRIPT_SERDES = '@confluentinc/schemaregistry@1.10.1'

/** Confluent's serdes for JavaScript, with the 280 packages that they depend on. */
export async function javascriptSchemas(registryUrl: string): Promise<ProgramPeer> {
  const name = JAVASCRIPT_SERDES.replaceAll(/\W+/g, '-').slice(1)
  const folder = await once(name, join(cacheFolder, name), async project => {
    process.stderr.write(`% installing ${JAVASCRIPT_SERDES} (once)\n`)
    writeFileSync(join(project, 'package.json'), '{"private":true}')
    await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', JAVASCRIPT_SERDES], { cwd: project })
  })
  return new ProgramPeer(process.execPath, [join(here, 'javascript', 'schemas.mjs'), folder, registryUrl])
}

/** franz-go, compiled. */
export async function franz(bootstrapServers: string): Promise<ProgramPeer> {
  return new ProgramPeer(await goProgram('franz'), [bootstrapServers])
}

/** An in-memory cluster that is none of ours. */
export interface ForeignCluster {
  readonly bootstrapServers: string
  close(): Promise<void>
}

/** franz-go's kfake. It ends with this process. */
export async function kfake(): Promise<ForeignCluster> {
  const child = spawn(await goProgram('kfake'), [], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve())
  })
  const lines = createInterface({ input: child.stdout })
  const address = await Promise.race([
    new Promise<string>(resolve => lines.once('line', resolve)),
    ended.then(() => Promise.reject(new Error('kfake ended before it said its address'))),
  ])
  return {
    bootstrapServers: address,
    close: () => {
      child.stdin.end()
      return ended
    },
  }
}

// Built once for each state of its source.
async function goProgram(name: string): Promise<string> {
  const source = join(here, name)
  const hash = createHash('sha256')
  for (const file of readdirSync(source).sort()) hash.update(readFileSync(join(source, file)))
  const stamp = `${name}-${hash.digest('hex').slice(0, 16)}`
  const built = await once(stamp, join(cacheFolder, stamp), async folder => {
    process.stderr.write(`% building the ${name} program (once)\n`)
    await run('go', ['build', '-o', join(folder, 'program'), '.'], { cwd: source, maxBuffer: 1 << 26 })
  })
  return join(built, 'program')
}

/** The clients that Kafka itself has. */
export function java(bootstrapServers: string): Promise<ProgramPeer> {
  return javaProgram('4.3.1', 'Peer', bootstrapServers)
}

/** Kafka Streams. */
export function streams(bootstrapServers: string): Promise<ProgramPeer> {
  return javaProgram('streams-4.3.1', 'StreamsPeer', bootstrapServers)
}

/** Apicurio's serdes. @param registryUrl the registry's own API, not Confluent's */
export async function javaSchemas(registryUrl: string): Promise<ProgramPeer> {
  return javaPeer(await schemaClassPath('SchemaPeer'), 'SchemaPeer', registryUrl)
}

async function javaProgram(jars: KafkaJars, program: string, bootstrapServers: string): Promise<ProgramPeer> {
  const classes = (await classesOf(jars, program)) ?? ''
  return javaPeer([join(await jarsOf(jars), '*'), classes], program, bootstrapServers)
}

function javaPeer(classes: readonly string[], program: string, argument: string): ProgramPeer {
  const classPath = classes.join(delimiter)
  const flags = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
  const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'
  return new ProgramPeer('java', [...flags, quiet, '-cp', classPath, program, argument])
}
