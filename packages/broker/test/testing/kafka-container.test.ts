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
    .withLabels({ suite: 'orders' })
    .withStartupTimeout(180_000)
    .withTmpFs({ '/tmp': 'rw' })
    .withUser('appuser')
    .withResourcesQuota({ memory: 1 })
    .withEnvironment({ KAFKA_NUM_PARTITIONS: '3', KAFKA_HEAP_OPTS: '-Xmx1g' })
    .start()
  const address = `${container.getHost()}:${container.getMappedPort(9093)}`
  assert.equal(address, container.getBootstrapServers())
  assert.equal(address, container.cluster.bootstrapServers)
  assert.equal(container.getFirstMappedPort(), container.getMappedPort(9093))
  assert.equal(container.getMappedPort('9093/tcp'), container.getMappedPort(9093))
  assert.throws(() => container.getMappedPort(8081), /port 8081 is not exposed/)
  assert.equal(container.getName(), 'kafka')
  assert.deepEqual(container.getLabels(), { suite: 'orders' })
  assert.deepEqual(container.getNetworkNames(), [])
  await container.cluster.produce('orders', [{ value: 'x' }])
  assert.equal(container.cluster.embedded.topics()[0]?.partitions, 3)
  await container.restart({ timeout: 0 })
  assert.equal(container.getBootstrapServers(), address)
  await assert.rejects(container.exec(['kafka-topics', '--list']), /no container to run 'kafka-topics --list' in/)
  for await (const _ of await container.logs()) assert.fail('it logs nothing')
  const stopped = await container.stop({ timeout: 10_000, remove: true })
  assert.equal(stopped.getId(), 'kafka')
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

test('what only a real container can do is refused in words', async () => {
  const container = new KafkaContainer()
  assert.throws(() => container.withSaslSslListener({}), /testCluster\(\{ tls/)
  assert.throws(() => container.withNetwork({}), /withNetwork is not supported.*keep a real container here/)
  assert.throws(() => container.withNetworkMode('bridge'), /withNetworkMode is not supported/)
  assert.throws(() => container.withNetworkAliases('kafka'), /withNetworkAliases is not supported/)
  assert.throws(() => container.withCommand(['sh']), /withCommand is not supported, for there is no container to run/)
  assert.throws(() => container.withEntrypoint(['sh']), /withEntrypoint is not supported/)
  assert.throws(() => container.withBindMounts([{}]), /withBindMounts is not supported, for there is no container that/)
  assert.throws(() => container.withCopyContentToContainer([{}]), /withCopyContentToContainer is not supported/)
  await using started = await container.start()
  assert.throws(() => started.getNetworkId('backend'), /not in the network backend: it listens on 127\.0\.0\.1/)
  await assert.rejects(started.copyContentToContainer([{}]), /no container that has files/)
  await assert.rejects(started.copyArchiveFromContainer('/etc'), /no container that has files/)
  await assert.rejects(started.commit({}), /no container to make an image of/)
})
