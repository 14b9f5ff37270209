/** Apicurio's registry with its storage in Kafka: the same on Kafka 4.3.1 and on an embedded cluster. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { AdminClient } from 'ottla'
import type { SchemaRegistry } from '@ottla/schema-registry'
import { startApicurio, type Apicurio } from '../harness/apicurio.ts'
import { apicurioTraits, clientOf, record } from './registry/world.ts'

/** What registries read to know their schemas, and write before they answer. */
const JOURNAL = 'kafkasql-journal'
const AT_ONCE = 25
/** Each start of a registry takes a minute on a busy machine. */
const LIMIT = { timeout: 1_800_000 }

export interface ApicurioKafkaWorld {
  readonly bootstrapServers: string
  close(): Promise<void>
}

export function apicurioOnKafkaScenarios(start: () => Promise<ApicurioKafkaWorld>): void {
  let world: ApicurioKafkaWorld
  let snapshots: string

  before(async () => {
    world = await start()
    snapshots = mkdtempSync(join(tmpdir(), 'ottla-apicurio-'))
  })
  after(async () => {
    rmSync(snapshots, { recursive: true, force: true })
    await world.close()
  })

  const started = (): Promise<Apicurio> => startApicurio({ bootstrapServers: world.bootstrapServers, snapshots })
  const client = ({ url }: Apicurio): SchemaRegistry =>
    clientOf({ url, traits: apicurioTraits, close: () => Promise.resolve() })

  test(
    'a registry that is started again, however it ended, knows from the log what it knew, and goes on',
    LIMIT,
    async () => {
      let known: unknown = []
      let lastId = 0
      for (const signal of ['SIGTERM', 'SIGKILL', 'SIGTERM'] as const) {
        await using apicurio = await started()
        const registry = client(apicurio)
        assert.deepEqual(await told(registry), known)
        const name = `after-${lastId}`
        assert.ok((await registry.register(name, record('R', name.replace('-', '_')))) > lastId)
        await register(registry, `${name}-more`)
        await registry.setConfig('FULL', `${name}-more-avro`)
        await registry.deleteVersion(`${name}-more-avro`, 1)
        assert.deepEqual(await registry.versions(`${name}-more-avro`), [2])
        known = await told(registry)
        // Its id is never given again.
        lastId = await registry.register('deleted', record('Deleted', `f${lastId}`))
        await registry.deleteSubject('deleted')
        await apicurio.close(signal)
      }
    },
  )

  test('registries at the same log know what each other has registered, and give an id once', LIMIT, async () => {
    await using first = await started()
    await using second = await started()
    const both = [client(first), client(second)]
    const all = Array.from({ length: AT_ONCE }, (_, index) => `${index}`)
    const ids = await Promise.all(
      both.map(async (registry, side) =>
        Promise.all(all.map(index => registry.register(`at-once-${side}-${index}`, record(`Of${side}`, `f${index}`)))),
      ),
    )
    assert.equal(new Set(ids.flat()).size, 2 * AT_ONCE)
    for (const registry of both) {
      // Who has written knows at once; the other one when it has read so far.
      while ((await registry.subjects({ prefix: 'at-once-' })).length < 2 * AT_ONCE) await sleep(50)
      for (const [side, ofSide] of ids.entries()) {
        for (const [index, id] of ofSide.entries()) {
          assert.equal((await registry.getLatest(`at-once-${side}-${index}`)).id, id)
        }
      }
    }
    assert.deepEqual(await told(client(first)), await told(client(second)))
  })

  test(
    'a registry starts from a snapshot and what follows it in the log, where the rest of the log is gone',
    LIMIT,
    async () => {
      await using admin = new AdminClient({ 'bootstrap.servers': world.bootstrapServers })
      let before: unknown
      {
        await using first = await started()
        const registry = client(first)
        await register(registry, 'snapshot')
        const journal = { topic: JOURNAL, partition: 0 }
        const [end] = await admin.listOffsets([{ ...journal, spec: 'latest' }])
        const answer = await fetch(`${first.nativeUrl}/admin/snapshots`, { method: 'POST' })
        assert.equal(answer.status, 200)
        assert.equal(readdirSync(snapshots).length, 1)
        await registry.register('snapshot-behind', record('Behind', 'x'))
        before = await told(registry)
        const offset = end?.offset ?? 0
        assert.ok(offset > 0)
        const [deleted] = await admin.deleteRecords([{ ...journal, offset }])
        assert.equal(deleted?.lowWatermark, offset)
      }
      await using second = await started()
      assert.deepEqual(await told(client(second)), before)
    },
  )
}

/** Schemas of the three formats, with versions and references. */
async function register(registry: SchemaRegistry, name: string): Promise<void> {
  await registry.register(`${name}-avro`, record('R', 'a'))
  await registry.register(`${name}-avro`, record('R', 'a', 'b?'))
  await registry.register(`${name}-money`, 'syntax = "proto3"; message Money { int64 cents = 1; }', {
    type: 'PROTOBUF',
  })
  await registry.register(
    `${name}-protobuf`,
    'syntax = "proto3"; import "money.proto"; message Priced { Money price = 1; }',
    { type: 'PROTOBUF', references: [{ name: 'money.proto', subject: `${name}-money`, version: 1 }] },
  )
  const json = { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object', properties: { [name]: {} } }
  await registry.register(`${name}-json`, json, { type: 'JSON' })
}

/** All that a registry tells of its schemas. */
async function told(registry: SchemaRegistry): Promise<unknown> {
  const all: unknown[] = []
  for (const subject of (await registry.subjects()).sort()) {
    const { compatibility } = await registry.getConfig(subject)
    for (const version of await registry.versions(subject)) {
      const { id, type, schema, references } = await registry.getVersion(subject, version)
      all.push({ subject, compatibility, version, id, type, schema, references })
    }
  }
  return all
}
