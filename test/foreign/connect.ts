/** Workers of Kafka Connect, and MirrorMaker 2, each in a process of its own. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Child } from '../harness/child.ts'
import { javaCommand } from '../harness/java.ts'
import { newLogFolder } from '../harness/logs.ts'
import { freePorts, returnPorts } from '../harness/ports.ts'

type Settings = Readonly<Record<string, string | number>>

const JARS = 'connect-4.3.1'
const PATIENCE_MS = 60_000

/** Starts a class of Connect with a properties file. */
async function start(className: string, folder: string, name: string, settings: Settings): Promise<Child> {
  const file = join(folder, `${name}.properties`)
  writeFileSync(
    file,
    Object.entries(settings)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  )
  const [command, args] = await javaCommand(JARS, className, [file])
  return new Child(command, args, join(newLogFolder('connect'), `${name}.log`))
}

/** A worker in distributed mode. */
export class ConnectWorker {
  readonly #child: Child
  readonly #port: number

  private constructor(child: Child, port: number) {
    this.#child = child
    this.#port = port
  }

  /** @param settings more than what workers need to find each other */
  static async start(
    bootstrapServers: string,
    folder: string,
    name: string,
    settings: Settings,
  ): Promise<ConnectWorker> {
    const [port = 0] = await freePorts(1)
    const converter = 'org.apache.kafka.connect.storage.StringConverter'
    const child = await start('org.apache.kafka.connect.cli.ConnectDistributed', folder, name, {
      'bootstrap.servers': bootstrapServers,
      'group.id': 'workers',
      listeners: `http://127.0.0.1:${port}`,
      'key.converter': converter,
      'value.converter': converter,
      'offset.storage.topic': 'connect-offsets',
      'config.storage.topic': 'connect-configs',
      'status.storage.topic': 'connect-status',
      'offset.storage.replication.factor': 1,
      'config.storage.replication.factor': 1,
      'status.storage.replication.factor': 1,
      'offset.storage.partitions': 1,
      'status.storage.partitions': 1,
      'offset.flush.interval.ms': 500,
      'session.timeout.ms': 6000,
      'heartbeat.interval.ms': 500,
      'scheduled.rebalance.max.delay.ms': 0,
      'exactly.once.source.support': 'enabled',
      ...settings,
    })
    return new ConnectWorker(child, port)
  }

  /** As the status of a task names it. */
  get id(): string {
    return `127.0.0.1:${this.#port}`
  }

  /** Asks until the worker answers as it should, which takes as long as it needs to start, or to rebalance. */
  async ask(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const answer = await this.#try(method, path, body)
      if (typeof answer !== 'string') return answer.json
      if (this.#child.ended) throw new Error(`the worker has ended; ${method} ${path}: ${answer}`)
      if (Date.now() > deadline) throw new Error(`${method} ${path}: ${answer}`)
      await sleep(200)
    }
  }

  /** Like a crash. */
  kill9(): Promise<void> {
    return this.#child.end('SIGKILL')
  }

  async close(): Promise<void> {
    await this.#child.end('SIGTERM')
    returnPorts([this.#port])
  }

  async #try(method: string, path: string, body: unknown): Promise<{ readonly json: unknown } | string> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.#port}${path}`, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      if (response.ok) return { json: text === '' ? null : JSON.parse(text) }
      return `${response.status} ${text}`
    } catch (error) {
      return String(error)
    }
  }
}

/** MirrorMaker 2 with a cluster of its own, which needs no worker. */
export function mirrorMaker(folder: string, settings: Settings): Promise<Child> {
  return start('org.apache.kafka.connect.mirror.MirrorMaker', folder, 'mirror-maker', settings)
}
