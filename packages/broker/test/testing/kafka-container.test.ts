import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiVersions } from '@ottla/protocol'
import { KafkaContainer } from '../../src/testing/index.ts'
import { closing } from '../../../../test/harness/closing.ts'
import { freePorts, returnPorts } from '../../../../test/harness/ports.ts'
import { WireClient } from '../wire-client.ts'

test('it is started, asked for its address and stopped as a container is', async () => {
  const container = await new KafkaContainer('confluentinc/cp-kafka:7.9.1')
    .withKraft()
    .withReuse()
    .withName('kafka')
    .withStartupTimeout(180_000)
    .withEnvironment({ KAFKA_NUM_PARTITIONS: '3', KAFKA_HEAP_OPTS: '-Xmx1g' })
    .start()
  const address = `${container.getHost()}:${container.getMappedPort(9093)}`
  assert.equal(address, container.getBootstrapServers())
  assert.equal(address, container.cluster.bootstrapServers)
  assert.equal(container.getFirstMappedPort(), container.getMappedPort(9093))
  assert.throws(() => container.getMappedPort(8081), /port 8081 is not exposed/)
  assert.equal(container.getName(), 'kafka')
  await container.cluster.produce('orders', [{ value: 'x' }])
  assert.equal(container.cluster.embedded.topics()[0]?.partitions, 3)
  await container.restart()
  assert.equal(container.getBootstrapServers(), address)
  await assert.rejects(container.exec(['kafka-topics', '--list']), /no container to run 'kafka-topics --list' in/)
  for await (const _ of await container.logs()) assert.fail('it logs nothing')
  await container.stop()
  await container.stop()
})

test('the image says which release it poses as', async () => {
  const hasShareGroups = async (image?: string): Promise<boolean> => {
    await using container = await new KafkaContainer(image).start()
    const client = closing(await WireClient.connect(container.getBootstrapServers()))
    const { apiKeys } = await client.ask(ApiVersions, 0, {})
    return apiKeys.some(({ apiKey }) => apiKey === 76)
  }
  assert.equal(await hasShareGroups(), true)
  assert.equal(await hasShareGroups('apache/kafka:4.1.0'), true)
  assert.equal(await hasShareGroups('confluentinc/cp-kafka:8.0.0'), true)
  assert.equal(await hasShareGroups('confluentinc/cp-kafka:latest'), true)
  assert.equal(await hasShareGroups('confluentinc/cp-kafka:7.2.2'), false)
  assert.equal(await hasShareGroups('apache/kafka:3.9.1'), false)
})

test('a port can be fixed', async () => {
  const [host = 0] = await freePorts(1)
  await using container = await new KafkaContainer().withExposedPorts({ container: 9093, host }, 9095).start()
  assert.deepEqual([container.getMappedPort(9093), container.getMappedPort(9095)], [host, host])
  returnPorts([host])
})

test('what only a real container can do is refused in words', () => {
  assert.throws(() => new KafkaContainer().withNetwork({}), /keep a real container here/)
  assert.throws(() => new KafkaContainer().withSaslSslListener({}), /testCluster\(\{ tls/)
})
