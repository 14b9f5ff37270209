/** Sarama's functional tests, whose clients reach the brokers through toxiproxy. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Child } from '../harness/child.ts'
import { cacheFolder, once } from '../harness/jars.ts'
import { succeed } from './command.ts'
import { dockerCommand } from './docker.ts'
import { goModule, goTests } from './go.ts'
import type { ForeignSuite } from './suite.ts'

const SARAMA = 'v1.61.1'
const TOXIPROXY = 'v2.12.0'
// Both are fixed in the tests.
const FIRST_PORT = 29_091
const BROKERS = 5
const API = 'http://127.0.0.1:8474'

export const sarama: ForeignSuite = {
  name: 'sarama',
  version: SARAMA,
  source: 'Go module github.com/IBM/sarama, tests tagged functional',
  surroundings: {
    brokers: BROKERS,
    advertisedPort: FIRST_PORT,
    rackPrefix: '',
    // As in its docker-compose.yml.
    config: {
      'default.replication.factor': '2',
      'min.insync.replicas': '1',
      'offsets.topic.replication.factor': '2',
      'transaction.state.log.replication.factor': '2',
      'transaction.state.log.min.isr': '1',
      'replica.selector.class': 'org.apache.kafka.common.replica.RackAwareReplicaSelector',
      'auto.create.topics.enable': 'false',
      'group.initial.rebalance.delay.ms': '0',
    },
  },
  reasons: {
    'sarama: TestFuncConsumerGroupCooperative/round_trips_messages_while_scaling_the_group':
      "sarama's leader waits behind its own fetches before it syncs, for 3 to 6 s on either ground, and is out of the group after 6 s; played alone, it fails in 2 of 20 runs here, and in none of 38 on Kafka",
  },
  async run(ground, { log }) {
    const folder = await goModule('github.com/IBM/sarama', SARAMA)
    const functional = `^(${functionalTests(folder).join('|')})$`
    const proxy = await startToxiproxy(ground.bootstrapServers, join(folder, 'toxiproxy.log'))
    const docker = await dockerCommand(ground)
    try {
      const env = { ...docker.env, TOXIPROXY_ADDR: API, KAFKA_VERSION: '4.3.1' }
      return await goTests({
        folder,
        packages: ['.'],
        env,
        flags: ['-tags', 'functional', '-run', functional, '-timeout', '40m'],
        log,
      })
    } finally {
      docker.close()
      await proxy.end('SIGTERM')
    }
  },
}

/** The tests of the files that are named so: the others of the package need no cluster. */
function functionalTests(folder: string): string[] {
  const files = readdirSync(folder).filter(file => /^functional_.*_test\.go$/.test(file))
  return files.flatMap(file =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(/^func (Test(?!Main\b)\w*)\(/gm)].map(
      ([, name = '']) => name,
    ),
  )
}

async function startToxiproxy(bootstrapServers: string, logFile: string): Promise<Child> {
  const server = await toxiproxyServer()
  const child = new Child(server, ['-host', '127.0.0.1'], logFile)
  for (let tries = 0; !(await reachable(`${API}/version`)); tries++) {
    if (tries === 100) throw new Error(`toxiproxy does not answer; its log: ${logFile}`)
    await sleep(100)
  }
  const proxies = bootstrapServers.split(',').map((upstream, i) => ({
    name: `kafka${i + 1}`,
    listen: `127.0.0.1:${FIRST_PORT + i}`,
    upstream,
    enabled: true,
  }))
  const answer = await fetch(`${API}/populate`, { method: 'POST', body: JSON.stringify(proxies) })
  if (!answer.ok) throw new Error(`toxiproxy refuses the proxies: ${await answer.text()}`)
  return child
}

async function reachable(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )
}

async function toxiproxyServer(): Promise<string> {
  const name = `toxiproxy-${TOXIPROXY}`
  const folder = await once(name, join(cacheFolder, 'suites', name), async filling => {
    mkdirSync(filling, { recursive: true })
    const command = `github.com/Shopify/toxiproxy/v2/cmd/server@${TOXIPROXY}`
    // Not under /tmp, which may forbid to run what is in it.
    await succeed('go', ['install', command], { cwd: filling, env: { GOBIN: filling } })
  })
  return join(folder, 'server')
}
