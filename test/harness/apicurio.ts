/** A registry of somebody else: Apicurio's, with its data in memory or in Kafka. It never outlives the test that starts it. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Child } from './child.ts'
import { closed, opened } from './each-test/open-things.ts'
import { cacheFolder, maven, once } from './jars.ts'
import { newLogFolder } from './logs.ts'
import { freePorts, returnPorts } from './ports.ts'

const VERSION = '3.0.9'
/** It starts within 11 s on a quiet machine. */
const PATIENCE_MS = 600_000

export interface Apicurio extends AsyncDisposable {
  /** Its implementation of Confluent's REST API. */
  readonly url: string
  /** Its own API. */
  readonly nativeUrl: string
  /** @param signal by default SIGTERM, on which it closes its clients */
  close(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

/** Data in a log of Kafka: those with the same servers are one registry. */
export interface ApicurioOnKafka {
  readonly bootstrapServers: string
  /** Where snapshots are written, whose paths are in Kafka. */
  readonly snapshots: string
}

const flags = ['-Xmx400m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto']

/** As Confluent's registry, it lets everybody delete. */
const properties = {
  'apicurio.rest.deletion.artifact.enabled': 'true',
  'apicurio.rest.deletion.artifact-version.enabled': 'true',
  'quarkus.http.host': '127.0.0.1',
}

const inMemory = { 'apicurio.storage.kind': 'sql', 'apicurio.storage.sql.kind': 'h2' }

function inKafka({ bootstrapServers, snapshots }: ApicurioOnKafka): Readonly<Record<string, string>> {
  return {
    'apicurio.storage.kind': 'kafkasql',
    'apicurio.kafkasql.bootstrap.servers': bootstrapServers,
    'apicurio.storage.snapshot.location': snapshots,
  }
}

/** Starts it; resolves when it answers. @param kafka by default its data is in memory */
export async function startApicurio(kafka?: ApicurioOnKafka): Promise<Apicurio> {
  const folder = await installed()
  const [port = 0] = await freePorts(1)
  const logFile = join(newLogFolder('apicurio'), 'server.log')
  const storage = kafka === undefined ? inMemory : inKafka(kafka)
  const settings = Object.entries({ ...properties, ...storage, 'quarkus.http.port': `${port}` })
  const options = settings.map(([name, value]) => `-D${name}=${value}`)
  const jar = join(folder, `apicurio-registry-app-${VERSION}-runner.jar`)
  const child = new Child('java', [...flags, ...options, '-jar', jar], logFile)
  const base = `http://127.0.0.1:${port}/apis`
  let closing: Promise<void> | undefined
  const close = (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> => {
    closing ??= child.end(signal).finally(() => returnPorts([port]))
    closed(apicurio, closing)
    return closing
  }
  const apicurio: Apicurio = {
    url: `${base}/ccompat/v7`,
    nativeUrl: `${base}/registry/v3`,
    close,
    [Symbol.asyncDispose]: () => close(),
  }
  opened(apicurio, 'Apicurio', close)
  const deadline = Date.now() + PATIENCE_MS
  // It answers before it has read its log.
  while (!(await answers(`http://127.0.0.1:${port}/health/ready`)) || !(await answers(`${apicurio.url}/subjects`))) {
    if (child.ended || Date.now() > deadline) {
      await close()
      throw new Error(`Apicurio does not serve; its log: ${logFile}`)
    }
    await sleep(100)
  }
  return apicurio
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(5000) })).ok
  } catch {
    return false
  }
}

function installed(): Promise<string> {
  const name = `apicurio-${VERSION}`
  return once(name, join(cacheFolder, name), async folder => {
    process.stderr.write(`% downloading Apicurio ${VERSION} from Maven Central (once)\n`)
    await maven(name, 'unpack', folder)
  })
}
