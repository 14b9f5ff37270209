import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export type KafkaVersion = '4.3.1' | '3.9.1'

/** A folder of test/java without its `kafka-`: what Kafka itself needs, or an application. */
export type KafkaJars = KafkaVersion | 'streams-4.3.1' | 'connect-4.3.1'

const run = promisify(execFile)
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** The folder for jars, compiled classes and logs of failed runs; git ignores it. */
export const cacheFolder = join(root, '.kafka')

/** The folder with Kafka's jars, downloaded by Maven the first time. */
export function jarsOf(version: KafkaJars): Promise<string> {
  return once(version, join(cacheFolder, version, 'jars'), async folder => {
    process.stderr.write(`% downloading Apache Kafka ${version} from Maven Central (once)\n`)
    await maven(`kafka-${version}`, 'copy-dependencies', folder)
  })
}

/** Runs a goal of Maven's dependency plugin on a pom of test/java. */
export async function maven(
  project: string,
  goal: 'copy-dependencies' | 'unpack',
  outputFolder: string,
): Promise<void> {
  const pom = join(root, 'test', 'java', project, 'pom.xml')
  const options = ['-DincludeScope=runtime', `-DoutputDirectory=${outputFolder}`]
  await run('mvn', ['-B', '-q', '-f', pom, `dependency:${goal}`, ...options], { maxBuffer: 1 << 26 })
}

/** The folder with a program of test/java/src, compiled against Kafka's jars; undefined if there is no such program. */
export async function classesOf(version: KafkaJars, className: string): Promise<string | undefined> {
  return compiled(className, await jarsOf(version), join(cacheFolder, version))
}

/** As `classesOf`, compiled against the jars of a folder. */
export async function compiled(className: string, jars: string, cache: string): Promise<string | undefined> {
  const source = join(root, 'test', 'java', 'src', `${className}.java`)
  if (!existsSync(source)) return undefined
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16)
  const classes = join(cache, `${className}-${hash}`)
  return once(classes, classes, async folder => {
    await run('javac', ['-nowarn', '-proc:none', '-cp', join(jars, '*'), '-d', folder, source])
  })
}

const underway = new Map<string, Promise<string>>()

/**
 * Creates a folder once, even if several processes try. Each fills a folder of its own and renames it, so that nobody
 * sees a half-filled one and the slower processes find the work done.
 */
export function once(key: string, folder: string, fill: (folder: string) => Promise<void>): Promise<string> {
  let made = underway.get(key)
  if (made === undefined) {
    made = make(folder, fill)
    underway.set(key, made)
  }
  return made
}

async function make(folder: string, fill: (folder: string) => Promise<void>): Promise<string> {
  if (existsSync(join(folder, '.complete'))) return folder
  const own = `${folder}.${process.pid}`
  rmSync(own, { recursive: true, force: true })
  mkdirSync(own, { recursive: true })
  try {
    await fill(own)
    writeFileSync(join(own, '.complete'), '')
    renameSync(own, folder)
  } catch (error) {
    rmSync(own, { recursive: true, force: true })
    // Another process was faster: renaming onto a filled folder fails.
    if (!existsSync(join(folder, '.complete'))) throw error
  }
  return folder
}
