/** librdkafka's own test runner, in three forms: both group protocols, and the tests that want no topics made for them. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { command, succeed } from './command.ts'
import { kafkaPath } from './kafka-path.ts'
import { npmPackage } from './npm.ts'
import {
  withAuthorizer,
  type ForeignSuite,
  type Outcome,
  type Outcomes,
  type RunningGround,
  type SuiteRun,
} from './suite.ts'

const VERSION = '2.15.1'
// Has these sources, with their tests.
const PACKAGE = '@confluentinc/kafka-javascript'
const PACKAGE_VERSION = '1.10.1'

const surroundings = {
  brokers: 3,
  rackPrefix: 'RACK',
  // As librdkafka's own cluster_testing.py.
  config: {
    'replica.selector.class': 'org.apache.kafka.common.replica.RackAwareReplicaSelector',
    'log.cleaner.backoff.ms': '1000',
    'group.share.min.record.lock.duration.ms': '1000',
    ...withAuthorizer,
  },
} as const

interface Form {
  readonly name: string
  readonly env: Readonly<Record<string, string>>
  readonly surroundings: ForeignSuite['surroundings']
  readonly leftOut: string
  readonly reasons: ForeignSuite['reasons']
}

const LEFT_OUT =
  'quick mode; tests of its own mock cluster, of OIDC and Kerberos servers, and those that impede sockets (`-Q -L -E`)'

export const librdkafka: readonly ForeignSuite[] = [
  suite({ name: 'librdkafka', env: {}, surroundings, leftOut: LEFT_OUT, reasons: {} }),
  suite({
    name: 'librdkafka-consumer-protocol',
    env: { TEST_CONSUMER_GROUP_PROTOCOL: 'consumer' },
    surroundings,
    leftOut: LEFT_OUT,
    reasons: {},
  }),
  suite({
    name: 'librdkafka-noautocreate',
    env: { TEST_SCENARIO: 'noautocreate' },
    surroundings: { ...surroundings, config: { ...surroundings.config, 'auto.create.topics.enable': 'false' } },
    leftOut: 'all but the scenario noautocreate',
    reasons: {},
  }),
]

function suite({ name, env, surroundings, leftOut, reasons }: Form): ForeignSuite {
  return {
    name,
    version: VERSION,
    source: `npm ${PACKAGE} ${PACKAGE_VERSION}, deps/librdkafka/tests`,
    surroundings,
    leftOut,
    reasons,
    run: (ground, run) => runTests(env, ground, run),
  }
}

async function runTests(
  form: Readonly<Record<string, string>>,
  { bootstrapServers }: RunningGround,
  { log }: SuiteRun,
): Promise<Outcomes> {
  const tests = await testRunner()
  const scratch = mkdtempSync(join(tmpdir(), 'ottla-librdkafka-'))
  const path = await kafkaPath()
  const [conf, report] = [join(scratch, 'test.conf'), join(scratch, 'report.json')]
  writeFileSync(conf, `bootstrap.servers=${bootstrapServers}\ntest.topic.random=true\n`)
  const env = {
    ...form,
    RDKAFKA_TEST_CONF: conf,
    TEST_REPORT: report,
    TEST_KAFKA_VERSION: '4.3.1',
    KAFKA_PATH: path.folder,
    BROKERS: bootstrapServers,
    LD_LIBRARY_PATH: `${join(tests, '../src')}:${join(tests, '../src-cpp')}`,
  }
  try {
    await command(join(tests, 'test-runner'), ['-Q', '-L', '-E', '-K', '-p3'], { cwd: tests, env, onLine: log })
    if (!existsSync(report)) throw new Error('the test runner ended without a report: see its output with --log FILE')
    return outcomesIn(await readFile(report, 'utf8'))
  } finally {
    path.close()
    rmSync(scratch, { recursive: true })
  }
}

async function testRunner(): Promise<string> {
  const sources = ['deps', 'librdkafka'] as const
  const folder = await npmPackage(PACKAGE, PACKAGE_VERSION, async unpacked => {
    const options = { cwd: join(unpacked, ...sources) }
    await succeed('bash', ['./configure'], options)
    await succeed('make', ['-j2', 'libs'], options)
    await succeed('make', ['-j2', '-C', 'tests', 'test-runner'], options)
  })
  return join(folder, ...sources, 'tests')
}

const outcomeOf: Readonly<Record<string, Outcome>> = {
  PASSED: 'passed',
  FAILED: 'failed',
  // Still running when the runner gave up.
  RUNNING: 'failed',
}

function outcomesIn(text: string): Outcomes {
  const { tests } = JSON.parse(text) as Report // as test.c writes it
  const found = Object.values(tests).flatMap(({ name, state }) => {
    const outcome = outcomeOf[state]
    return outcome === undefined || name === '<MAIN>' ? [] : [[name, outcome] as const]
  })
  return new Map(found)
}

interface Report {
  readonly tests: Readonly<Record<string, { readonly name: string; readonly state: string }>>
}
