/** A command `docker` for suites that stop and start brokers, and read their logs, with `docker compose stop kafka-2`. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { RunningGround } from './suite.ts'

export interface DockerCommand {
  /** Has the command in its PATH. */
  readonly env: Readonly<Record<string, string>>
  close(): void
}

export async function dockerCommand(ground: RunningGround): Promise<DockerCommand> {
  const server = await listening(ground)
  const { port } = server.address() as AddressInfo // it listens on a port
  const folder = mkdtempSync(join(tmpdir(), 'ottla-docker-'))
  const script = join(folder, 'docker')
  writeFileSync(
    script,
    `#!/usr/bin/env node
const answer = await fetch('http://127.0.0.1:${port}/', { method: 'POST', body: process.argv.slice(2).join(' ') })
process.stderr.write(await answer.text())
process.exit(answer.ok ? 0 : 1)
`,
  )
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  chmodSync(script, 0o755)
  return {
    env: { PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}` },
    close() {
      server.close()
      rmSync(folder, { recursive: true })
    },
  }
}

async function listening(ground: RunningGround): Promise<Server> {
  const server = createServer((request, response) => {
    let command = ''
    request.on('data', (chunk: Buffer) => (command += chunk.toString()))
    request.on('end', () => {
      carryOut(command, ground).then(
        output => response.end(output),
        (error: unknown) => response.writeHead(500).end(String(error)),
      )
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

/** @returns what the command prints */
async function carryOut(command: string, ground: RunningGround): Promise<string> {
  const [, verb = '', id = ''] = /^compose (stop|start|logs)\b.* kafka-(\d+)$/.exec(command) ?? []
  if (verb === '') throw new Error(`docker ${command}: there is only compose stop, start and logs here`)
  if (verb === 'logs') return ground.logOf(Number(id))
  await (verb === 'stop' ? ground.stopBroker(Number(id)) : ground.startBroker(Number(id)))
  return ''
}
