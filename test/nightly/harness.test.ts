import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { isRunning } from '../harness/child.ts'
import { startKafka } from '../harness/kafka.ts'
import { askMetadata } from '../harness/probe.ts'

const topicTool = 'org.apache.kafka.tools.TopicCommand'

for (const version of ['4.3.1', '3.9.1'] as const) {
  test(`one broker of Kafka ${version} starts, serves Java's tools and leaves no process behind`, async () => {
    const kafka = await startKafka({ version, brokers: 1 })
    const pids = kafka.brokers.map(broker => broker.pid)
    const create = ['--create', '--topic', 'made-by-java', '--partitions', '3']
    const created = await kafka.javaTool(topicTool, ['--bootstrap-server', kafka.bootstrapServers, ...create])
    assert.equal(created.code, 0, created.stderr)
    const listed = await kafka.javaTool(topicTool, ['--bootstrap-server', kafka.bootstrapServers, '--list'])
    assert.deepEqual(listed.stdout.trim().split('\n'), ['made-by-java'])
    await kafka.close()
    assert.deepEqual(pids.filter(isRunning), [])
  })
}

test('three brokers with SASL and ACLs survive the kill -9 of one and take it back', async () => {
  const kafka = await startKafka({
    brokers: 3,
    sasl: { users: { admin: 'adminpassword', alice: 'alicepassword' } },
    acls: true,
    superUsers: ['admin'],
  })
  const [first, second, third] = kafka.brokers
  assert.ok(first && second && third)
  const plainPort = Number(kafka.plainBootstrapServers.split(',')[1]?.split(':')[1])
  const alive = async (): Promise<number[]> =>
    (await askMetadata(plainPort, [])).brokers.map(broker => broker.id).sort()
  try {
    assert.deepEqual(await alive(), [1, 2, 3])
    const before = first.pid
    await first.kill9()
    assert.equal(isRunning(before), false)
    while ((await alive()).length > 2) await sleep(50)
    assert.deepEqual(await alive(), [2, 3])
    await first.restart()
    assert.notEqual(first.pid, before)
    assert.deepEqual(await alive(), [1, 2, 3])

    third.pause()
    while ((await alive()).length > 2) await sleep(50)
    third.resume()
    while ((await alive()).length < 3) await sleep(50)
  } finally {
    await kafka.close()
  }
  assert.deepEqual(
    kafka.brokers.filter(broker => isRunning(broker.pid)),
    [],
  )
})

test('a test process that is killed takes its brokers with it', async () => {
  const program = `
    import { startKafka } from ${JSON.stringify(new URL('../harness/kafka.ts', import.meta.url).href)}
    const kafka = await startKafka({ brokers: 1 })
    console.log(JSON.stringify({ pid: kafka.brokers[0].pid, data: kafka.dataFolder, logs: kafka.logFolder }))
    setInterval(() => {}, 1000)
  `
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const { pid, data, logs } = JSON.parse(line) as { pid: number; data: string; logs: string }
  assert.equal(isRunning(pid), true)
  child.kill('SIGKILL')
  while (isRunning(pid) || existsSync(data)) await sleep(20)
  rmSync(logs, { recursive: true })
})
