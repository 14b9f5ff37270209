/** Compatibility levels, configurations and modes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CompatibilityLevel, SchemaRegistry, SchemaType } from '@ottla/schema-registry'
import { fresh } from '../world.ts'
import { changes, type Change } from './avro-changes.ts'
import { jsonChanges } from './json-changes.ts'
import { protobufChanges } from './protobuf-changes.ts'
import { clientOf, record, type RegistryWorld } from './world.ts'

const levels: readonly CompatibilityLevel[] = ['NONE', 'BACKWARD', 'FORWARD', 'FULL']

function isAllowed(level: CompatibilityLevel, { backward, forward }: Change): boolean {
  return (backward || level === 'NONE' || level === 'FORWARD') && (forward || level === 'NONE' || level === 'BACKWARD')
}

/** As an object, or as text where it is none. */
function given(schema: unknown, type: SchemaType): string | object {
  if (type === 'PROTOBUF') return schema as string
  return typeof schema === 'string' ? JSON.stringify(schema) : (schema as object)
}

async function answers(registry: SchemaRegistry, subject: string, change: Change, type: SchemaType): Promise<object> {
  const entries: [string, boolean][] = []
  for (const level of levels) {
    await registry.setConfig(level, subject)
    const { isCompatible } = await registry.checkCompatibility(subject, given(change.fresh, type), { type })
    entries.push([level, isCompatible])
  }
  return Object.fromEntries(entries)
}

const formats = [
  ['AVRO', changes],
  ['PROTOBUF', protobufChanges],
  ['JSON', jsonChanges],
] as const

export function compatibilityScenarios(world: () => RegistryWorld): void {
  for (const [type, all] of formats) {
    for (const change of all) {
      test(`${type}: ${change.name}: allowed at the levels that it should be`, async () => {
        const registry = clientOf(world())
        const subject = fresh('changed')
        await registry.register(subject, given(change.old, type), { type })
        const { apicurio } = change
        const isOther = !world().traits.judgesAsConfluent && apicurio !== undefined
        const allows = (level: CompatibilityLevel): boolean =>
          isOther ? level === 'NONE' || apicurio.includes(level) : isAllowed(level, change)
        const expected = Object.fromEntries(levels.map(level => [level, allows(level)]))
        assert.deepEqual(await answers(registry, subject, change, type), expected)
      })
    }
  }

  for (const [direction, level] of [
    ['older', 'BACKWARD'],
    ['newer', 'FORWARD'],
    ['both', 'FULL'],
  ] as const) {
    test(`${level} compares with the last version, ${level}_TRANSITIVE with all (${direction})`, async () => {
      const registry = clientOf(world())
      const subject = fresh('transitive')
      const versions = [record('R'), record('R', 'x')]
      const next = record('R', 'x', 'y?')
      if (level === 'FORWARD') versions.reverse()
      const first = { ...record('R', 'z'), aliases: [] }
      await registry.register(subject, first)
      await registry.setConfig('NONE', subject)
      for (const version of versions) await registry.register(subject, version)
      const given = level === 'FORWARD' ? record('R', 'q') : next
      await registry.setConfig(level, subject)
      const { isCompatible } = await registry.checkCompatibility(subject, given)
      assert.equal(isCompatible, world().traits.checksByLevel)
      await registry.setConfig(`${level}_TRANSITIVE`, subject)
      assert.equal((await registry.checkCompatibility(subject, given)).isCompatible, false)
      await assert.rejects(registry.register(subject, given), { code: 'INCOMPATIBLE' })
      await registry.setConfig(level, subject)
      await registry.register(subject, given)
      assert.deepEqual(await registry.versions(subject), [1, 2, 3, 4])
    })
  }

  test('a schema that is not compatible is refused, and one that is becomes the next version', async () => {
    const registry = clientOf(world())
    const subject = fresh('refused')
    await registry.register(subject, record('R', 'x'))
    await registry.setConfig('BACKWARD', subject)
    const refused = { code: 'INCOMPATIBLE', status: 409, message: /\/fields\/1/ }
    await assert.rejects(registry.register(subject, record('R', 'x', 'y')), refused)
    await registry.register(subject, record('R', 'x', 'y?'))
    await registry.setConfig('NONE', subject)
    await registry.register(subject, record('R', 'y'))
    assert.deepEqual(await registry.versions(subject), [1, 2, 3])
  })

  test('a version can be compared with alone', async () => {
    const registry = clientOf(world())
    const subject = fresh('alone')
    await registry.register(subject, record('R', 'x'))
    await registry.setConfig('NONE', subject)
    await registry.register(subject, record('R', 'x', 'y'))
    await registry.setConfig('BACKWARD', subject)
    const check = async (version: number | 'latest'): Promise<boolean> =>
      (await registry.checkCompatibility(subject, record('R', 'x', 'y'), { version })).isCompatible
    assert.deepEqual([await check(1), await check(2), await check('latest')], [false, true, true])
    const unknown = registry.checkCompatibility(subject, record('R', 'x'), { version: 9 })
    await assert.rejects(unknown, { code: 'NOT_FOUND', errorCode: 40402 })
  })

  test('a schema is compatible with the latest version of a subject that is not there', async () => {
    const registry = clientOf(world())
    const { isCompatible } = await registry.checkCompatibility(fresh('new'), record('R', 'x'), { version: 'latest' })
    assert.equal(isCompatible, true)
  })

  test('a registry that explains says why a schema is not compatible', async () => {
    const registry = clientOf(world())
    const subject = fresh('why')
    await registry.register(subject, record('R', 'x'))
    await registry.setConfig('BACKWARD', subject)
    const { isCompatible, messages } = await registry.checkCompatibility(subject, record('R', 'x', 'y'))
    assert.deepEqual([isCompatible, messages.length > 0], [false, world().traits.explains])
  })

  test('the configuration is that of the subject, or that of the registry', async () => {
    const registry = clientOf(world())
    const subject = fresh('configured')
    assert.equal((await registry.getConfig()).compatibility, 'NONE')
    assert.equal((await registry.getConfig(subject)).compatibility, 'NONE')
    await registry.register(subject, record('R', 'x'))
    assert.equal((await registry.getConfig(subject)).compatibility, 'NONE')
    await registry.setConfig('FULL_TRANSITIVE', subject)
    assert.equal((await registry.getConfig(subject)).compatibility, 'FULL_TRANSITIVE')
    await registry.deleteConfig(subject)
    assert.equal((await registry.getConfig(subject)).compatibility, 'NONE')
  })

  test('the level NONE of a subject stands above that of the registry, where it is one', async () => {
    const registry = clientOf(world())
    const subject = fresh('none')
    await registry.register(subject, record('R', 'x'))
    await registry.setConfig('BACKWARD')
    try {
      await registry.setConfig('NONE', subject)
      const { isCompatible } = await registry.checkCompatibility(subject, record('R', 'x', 'y'))
      assert.equal(isCompatible, world().traits.hasOwnNone)
    } finally {
      await registry.setConfig('NONE')
    }
  })

  test('a subject can be configured before its first schema', async () => {
    const registry = clientOf(world())
    const subject = fresh('ahead')
    await registry.setConfig('FORWARD', subject)
    assert.equal((await registry.getConfig(subject)).compatibility, 'FORWARD')
    await registry.register(subject, record('R', 'x'))
    assert.equal((await registry.getConfig(subject)).compatibility, 'FORWARD')
  })

  test('what may be done is a matter of the mode, where there are modes', async () => {
    const registry = clientOf(world())
    const subject = fresh('mode')
    await registry.register(subject, record('R', 'x'))
    if (!world().traits.hasModes) {
      await assert.rejects(registry.getMode(subject), {
        code: 'REFUSED',
        message: /answered GET \/mode.* with no mode/,
      })
      return
    }
    assert.equal(await registry.getMode(subject), 'READWRITE')
    await registry.setMode('READONLY', subject)
    await assert.rejects(registry.register(subject, record('R', 'y?')), { code: 'REFUSED', errorCode: 42205 })
    await registry.deleteMode(subject)
    assert.equal(await registry.getMode(subject), 'READWRITE')
    await registry.register(subject, record('R', 'x', 'y?'))
  })
}
