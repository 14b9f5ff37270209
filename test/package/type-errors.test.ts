/** What the compiler says to somebody who gets something wrong, with the declarations that are published. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = new URL('../../', import.meta.url)
// Below the root, so that the packages are found; git takes no notice of it.
const folder = new URL(`node_modules/.cache/errors-${process.pid}/`, root)

after(() => rmSync(folder, { recursive: true, force: true }))

/** A line that does not compile, and what the error has to say. */
const wrong: readonly (readonly [string, RegExp])[] = [
  [
    "new Producer({ 'bootstrap.servers': 'a:1', clientId: 'x' })",
    /'clientId'.* Did you mean to write '+client\.id'+\?/,
  ],
  ["new Consumer({ 'bootstrap.servers': 'a:1', groupId: 'x' })", /'groupId'.* Did you mean to write '+group\.id'+\?/],
  ["new Consumer({ 'bootstrap.servers': 'a:1', sessionTimeout: 1 })", /write '+session\.timeout\.ms'+\?/],
  ["new Producer({ bootstrapServers: 'a:1' })", /Did you mean to write '+bootstrap\.servers'+\?/],
  ["new Producer({ 'bootstrap.servers': 'a:1', retrie: 3 })", /Did you mean to write 'retries'\?/],
  [
    "new Producer({ 'bootstrap.servers': 'a:1', 'linger.mss': 3 })",
    /'+linger\.mss'+ does not exist in type 'ProducerConfig'/,
  ],
  ["new Producer({ 'client.id': 'x' })", /Property '+bootstrap\.servers'+ is missing/],
  ["new ShareConsumer({ 'bootstrap.servers': 'a:1' })", /Property '+group\.id'+ is missing/],
  ["shop.produce({ topic: 'ordres', value: 'x' })", /"ordres".* Did you mean '"orders"'\?/],
  ["shop.produce({ topic: 'orders', value: 1 })", /Type 'number' is not assignable to type/],
]

test('errors of the compiler name what is meant', () => {
  mkdirSync(folder, { recursive: true })
  const head = [
    "import { Consumer, Producer, ShareConsumer } from 'ottla'",
    "const shop = new Producer<{ orders: { value: string }; audit: object }>({ 'bootstrap.servers': 'a:1' })",
  ]
  writeFileSync(new URL('wrong.mts', folder), [...head, ...wrong.map(([line]) => line)].join('\n'))
  const base = fileURLToPath(new URL('tsconfig.base.json', root))
  const compilerOptions = {
    noEmit: true,
    composite: false,
    declaration: false,
    declarationMap: false,
    customConditions: [],
  }
  const config = { extends: base, compilerOptions, include: ['*.mts'] }
  writeFileSync(new URL('tsconfig.json', folder), JSON.stringify(config))
  const tsc = fileURLToPath(new URL('node_modules/typescript-native/bin/tsc', root))
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', fileURLToPath(folder), '--pretty', 'false'], {
    encoding: 'utf8',
  })
  wrong.forEach(([line, expected], i) => {
    const at = `wrong.mts(${head.length + i + 1},`
    const from = stdout.indexOf(at)
    assert.notEqual(from, -1, `${line} compiles\n${stdout}`)
    const next = stdout.slice(from + at.length).search(/\S+wrong\.mts\(/)
    const text = next === -1 ? stdout.slice(from) : stdout.slice(from, from + at.length + next)
    assert.match(text.replaceAll('\n', ' '), expected, line)
  })
})
