/** A registry of somebody else: Apicurio's, with its data in memory. It never outlives the test that starts it. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Child } from './child.ts'
import { closed, opened } from './each-test/open-things.ts'
import { cacheFolder, maven, once } from './jars.ts'
import { newLogFolder } from './logs.ts'
import { freePorts, returnPorts } from './ports.ts'

const VERSION = '3.0.9'
/** It starts within 11 s on a quiet machine. */
const PATIENCE_MS = 300_000

export interface Apicurio extends AsyncDisposable {
  /** Its implementation of Confluent's REST API. */
  readonly url: string
  /** Its own API. */
  readonly nativeUrl: string
  close(): Promise<void>
}

const flags = ['-Xmx400m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto']

/** In memory; and as Confluent's registry, it lets everybody delete. */
const properties = {
  'apicurio.storage.kind': 'sql',
  'apicurio.storage.sql.kind': 'h2',
  'apicurio.rest.deletion.artifact.enabled': 'true',
  'apicurio.rest.deletion.artifact-version.enabled': 'true',
  'quarkus.http.host': '127.0.0.1',
}

/** Starts it; resolves when it answers. */
export async function startApicurio(): Promise<Apicurio> {
  const folder = await installed()
  const [port = 0] = await freePorts(1)
  const logFile = join(newLogFolder('apicurio'), 'server.log')
  const settings = Object.entries({ ...properties, 'quarkus.http.port': `${port}` })
  const options = settings.map(([name, value]) => `-D${name}=${value}`)
  const jar = join(folder, `apicurio-registry-app-${VERSION}-runner.jar`)
  const child = new Child('java', [...flags, ...options, '-jar', jar], logFile)
  const base = `http://127.0.0.1:${port}/apis`
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    closing ??= child.end('SIGTERM').finally(() => returnPorts([port]))
    closed(apicurio, closing)
    return closing
  }
  const apicurio: Apicurio = {
    url: `${base}/ccompat/v7`,
    nativeUrl: `${base}/registry/v3`,
    close,
    [Symbol.asyncDispose]: close,
  }
  opened(apicurio, 'Apicurio', close)
  const deadline = Date.now() + PATIENCE_MS
  while (!(await answers(`${apicurio.url}/subjects`))) {
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
