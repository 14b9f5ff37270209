/** Serdes of @confluentinc/schemaregistry as they come from npm, with its mock registry, in ottla's clients. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Consumer, Producer } from 'ottla'
import { EmbeddedCluster } from '@ottla/broker'
import { confluentSerdes, type ConfluentDeserializer, type ConfluentSerializer } from '@ottla/schema-registry'

interface Order {
  id: number
  customer: string
}

/** What is used of the package. */
interface Confluent {
  readonly SchemaRegistryClient: {
    newClient(config: object): { register(subject: string, schema: object): Promise<number> }
  }
  readonly AvroSerializer: new (client: object, type: unknown, config: object) => ConfluentSerializer
  readonly AvroDeserializer: new (client: object, type: unknown, config: object) => ConfluentDeserializer
  readonly SerdeType: { readonly VALUE: unknown }
  readonly RuleMode: { readonly WRITEREAD: unknown }
  readonly LocalKmsDriver: { register(): void }
  readonly FieldEncryptionExecutor: { register(): void }
}

const fields = [
  { name: 'id', type: 'long' },
  { name: 'customer', type: 'string', 'confluent:tags': ['PII'] },
]
const schema = JSON.stringify({ type: 'record', name: 'Order', fields })

let folder: string
let confluent: Confluent
let cluster: EmbeddedCluster

before(
  async () => {
    folder = mkdtempSync(join(tmpdir(), 'ottla-confluent-'))
    writeFileSync(join(folder, 'package.json'), '{"private":true}')
    const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '@confluentinc/schemaregistry@1']
    execFileSync('npm', args, { cwd: folder, stdio: 'ignore' })
    confluent = createRequire(pathToFileURL(join(folder, 'package.json')))('@confluentinc/schemaregistry') as Confluent
    cluster = await EmbeddedCluster.start({ defaultPartitions: 1 })
  },
  { timeout: 900_000 },
)
after(async () => {
  await cluster.close()
  rmSync(folder, { recursive: true, force: true })
})

/** One message, with serdes of these rules: what is in the topic, and what is read. */
async function roundTrip(topic: string, ruleSet: object | undefined, rules: object) {
  const { SchemaRegistryClient, AvroSerializer, AvroDeserializer, SerdeType } = confluent
  const client = SchemaRegistryClient.newClient({ baseURLs: ['mock://'] })
  await client.register(`${topic}-value`, { schemaType: 'AVRO', schema, ...(ruleSet === undefined ? {} : { ruleSet }) })
  const serializer = new AvroSerializer(client, SerdeType.VALUE, { useLatestVersion: true, ...rules })
  const deserializer = new AvroDeserializer(client, SerdeType.VALUE, rules)
  const servers = { 'bootstrap.servers': cluster.bootstrapServers }
  await using producer = new Producer(servers, { value: confluentSerdes<Order>({ serializer }) })
  await producer.send({ topic, value: { id: 7, customer: 'Ada' } })
  const reading = { ...servers, 'group.id': topic, 'auto.offset.reset': 'earliest' } as const
  await using consumer = new Consumer(reading, { value: confluentSerdes<Order>({ deserializer }) })
  consumer.subscribe(topic)
  const { value } = await consumer.readMessage(30_000)
  return { stored: cluster.messages(topic)[0]?.value ?? Buffer.alloc(0), read: { ...value } }
}

test('serdes of the package write and read messages of ottla', async () => {
  const { stored, read } = await roundTrip('plain', undefined, {})
  assert.deepEqual(read, { id: 7, customer: 'Ada' })
  assert.equal(stored.toString('latin1', 5), '\x0e\x06Ada')
})

test('fields are encrypted by its rules (CSFLE)', async () => {
  confluent.LocalKmsDriver.register()
  confluent.FieldEncryptionExecutor.register()
  const rule = {
    ...{ name: 'encryption', kind: 'TRANSFORM', mode: confluent.RuleMode.WRITEREAD, type: 'ENCRYPT', tags: ['PII'] },
    params: { 'encrypt.kek.name': 'kek', 'encrypt.kms.type': 'local-kms', 'encrypt.kms.key.id': 'key' },
    onFailure: 'ERROR,NONE',
  }
  const { stored, read } = await roundTrip('secret', { domainRules: [rule] }, { ruleConfig: { secret: 'of-tests' } })
  assert.deepEqual(read, { id: 7, customer: 'Ada' })
  assert.ok(!stored.includes('Ada'))
})
