import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import assert from 'node:assert/strict'
import { differences, generate, readFacts, writeFiles, type Facts } from '../../../../tools/codegen/main.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const facts = readFacts()
const folder = mkdtempSync(join(tmpdir(), 'ottla-codegen-'))
after(() => rmSync(folder, { recursive: true }))

function withMessage(message: object): Facts {
  const base = { type: 'request', apiKey: 1, listeners: ['broker'], name: 'XRequest', flexibleVersions: 'none' }
  return { ...facts, messages: JSON.stringify([{ ...base, ...message }]) }
}

test('the committed codecs are what the generator writes, and --check says so', () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'tools/codegen/main.ts', '--check'],
    { cwd: root, encoding: 'utf8' },
  )
  assert.equal(status, 0, stderr)
  assert.match(stdout, /^codegen: \d+ files are what the generator writes/)
})

test('the check names what differs, what is missing and what should not be there', () => {
  const files = generate(facts)
  writeFiles(folder, files)
  assert.deepEqual(differences(folder, files), [])
  const fetch = files.get('fetch.ts') ?? ''
  writeFileSync(join(folder, 'fetch.ts'), fetch.replace('\n', '\n// changed by hand\n'))
  rmSync(join(folder, 'produce.ts'))
  writeFileSync(join(folder, 'withdrawn.ts'), '')
  assert.deepEqual(differences(folder, files).sort(), [
    'fetch.ts differs from line 2 on',
    'produce.ts is missing',
    'withdrawn.ts should not be there',
  ])
  writeFiles(folder, files)
  assert.deepEqual(differences(folder, files), [])
})

test('a changed fact shows as a difference of just the file that it is about', () => {
  writeFiles(folder, generate(facts))
  const renamed = facts.messages.replace('"name":"TransactionalId","type":"string"', '"name":"New","type":"string"')
  const changed = differences(folder, generate({ ...facts, messages: renamed }))
  assert.equal(changed.length, 1)
  assert.match(changed[0] ?? '', /^add-offsets-to-txn\.ts differs from line \d+ on$/)
})

test('facts of an unknown form are refused by name', () => {
  const withField = (field: object): Facts => withMessage({ validVersions: '0-1', fields: [field] })
  assert.throws(() => generate(withField({ name: 'A', type: 'int128', versions: '0+' })), /XRequest\.a .*int128/)
  assert.throws(() => generate(withField({ name: 'A', type: 'int8', versions: 'x' })), /'x' is no range/)
  assert.throws(
    () => generate(withMessage({ type: 'reply', validVersions: '0' })),
    /XRequest is of unknown type 'reply'/,
  )
  assert.throws(() => generate(withMessage({ validVersions: '0' })), /XRequest has no response/)
})

test('an error code without a text and a text without a code are refused', () => {
  const { errors, errorTexts } = facts
  assert.throws(() => generate({ ...facts, errors: `${errors}NEW_ONE\t134\tbroker` }), /NEW_ONE has no text/)
  assert.throws(() => generate({ ...facts, errorTexts: `${errorTexts}OLD_ONE\twas there once` }), /OLD_ONE/)
})
