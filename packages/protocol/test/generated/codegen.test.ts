import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { firstDifference, generate } from '../../../../tools/codegen/main.ts'

const root = new URL('../../../../', import.meta.url)
const spec = readFileSync(new URL('spec/kafka-messages-4.3.1.json', root), 'utf8')
const errors = readFileSync(new URL('spec/error-codes.tsv', root), 'utf8')

test('the committed codecs are what the generator writes', () => {
  const folder = new URL('packages/protocol/src/generated/', root)
  const files = generate(spec, errors)
  assert.deepEqual(readdirSync(folder).sort(), [...files.keys()].sort())
  for (const [name, text] of files) {
    assert.equal(firstDifference(readFileSync(new URL(name, folder), 'utf8'), text), 0, name)
  }
})

test('a changed fact changes what is written', () => {
  const changed = generate(
    spec.replace('"name":"TransactionalId","type":"string"', '"name":"Renamed","type":"string"'),
    errors,
  )
  const before = generate(spec, errors)
  assert.notEqual(changed.get('add-offsets-to-txn.ts'), before.get('add-offsets-to-txn.ts'))
  assert.ok(firstDifference('a\nb', 'a\nc') === 2)
})

test('facts of an unknown form are refused', () => {
  const message = { type: 'request', apiKey: 1, listeners: ['broker'], name: 'XRequest', validVersions: '0-1' }
  const withField = (field: object): string =>
    JSON.stringify([{ ...message, flexibleVersions: 'none', fields: [field] }])
  assert.throws(() => generate(withField({ name: 'A', type: 'int128', versions: '0+' }), errors), /int128/)
  assert.throws(() => generate(withField({ name: 'A', type: 'int8', versions: 'x' }), errors), /'x' is no range/)
})
