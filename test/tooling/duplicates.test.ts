import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
// The tool is plain JavaScript: it must run before anything is built.
const tool = (await import(new URL('../../tools/duplicates.mjs', import.meta.url).href)) as {
  duplicates(root: string): { lines: number; places: [string, string]; kind: 'same' | 'shape' }[]
}

/** Eleven lines of code with the names that are given. */
function loop(list: string, sum: string): string {
  return [
    `export function sumOf${sum}(${list}: number[]): number {`,
    `  let ${sum} = 0`,
    `  for (const each of ${list}) {`,
    '    if (each < 0) {',
    `      ${sum} -= each`,
    '    } else {',
    `      ${sum} += each`,
    '    }',
    '  }',
    `  return ${sum}`,
    '}',
    '',
  ].join('\n')
}

function found(t: TestContext, files: Record<string, string>): string[] {
  const root = mkdtempSync(join(tmpdir(), 'ottla-duplicates-'))
  t.after(() => rmSync(root, { recursive: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return tool.duplicates(root).map(({ lines, places, kind }) => `${lines} ${kind} ${places.join(' ')}`)
}

const a = 'packages/one/src/a.ts'
const b = 'packages/two/src/room/b.ts'

test('eleven lines that are the same in two packages are found', t => {
  assert.deepEqual(found(t, { [a]: loop('list', 'sum'), [b]: `\n// why\n${loop('list', 'sum')}` }), [
    `11 same ${a}:1-11 ${b}:3-13`,
  ])
})

test('so are lines of one shape with other names, in one file too', t => {
  assert.deepEqual(found(t, { [a]: loop('list', 'sum') + loop('values', 'total') }), [`11 shape ${a}:1-11 ${a}:12-22`])
})

test('ten lines may be repeated', t => {
  const ten = loop('list', 'sum').split('\n').slice(1).join('\n')
  assert.deepEqual(found(t, { [a]: `export function f(): number {${ten}`, [b]: `const g = () => {${ten}` }), [])
})

test('types, fields, rows and generated code do not count', t => {
  const lines = (line: (i: number) => string): string => Array.from({ length: 20 }, (_, i) => line(i)).join('\n')
  const of = (name: string): string =>
    [
      `export interface ${name} {\n${lines(i => `  field${i}: number`)}\n}`,
      `export class Of${name} {\n${lines(i => `  field${i} = 0`)}\n}`,
      `export const by${name} = {\n${lines(i => `  field${i}: call(${name}, ${i}),`)}\n}`,
    ].join('\n')
  const made = loop('list', 'sum')
  assert.deepEqual(found(t, { [a]: of('A'), [b]: of('B'), 'packages/one/src/generated/c.ts': made + made }), [])
})
