// `npm run sizes [-- --write] [-- --check]`: what the packages and bundles of programs weigh. `--write` puts the figures into
// README.md; `--check` fails if one of them has grown by more than 5 % since.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { ensureBuilt } from '../built.mjs'
import { packAll } from './pack.mjs'
import { root } from './table.mjs'

const MOST_GROWTH = 0.05
const KB = 1000

const programs = {
  'a program that only produces':
    "import { Producer } from 'ottla'\nconst it = new Producer({})\nawait it.send({ topic: '', value: '' })",
  'a program that only consumes':
    "import { Consumer } from 'ottla'\nconst it = new Consumer({})\nfor await (const each of it) console.log(each)",
  'a program that only administers':
    "import { AdminClient } from 'ottla'\nconst it = new AdminClient({})\nawait it.createTopics([])",
  'everything of ottla': "import * as all from 'ottla'\nconsole.log(all)",
}

ensureBuilt()
const rows = [...packageSizes(), ...(await bundleSizes())]
const readme = join(root, 'README.md')
const [begin, end] = ['<!-- npm run sizes -->\n\n', '\n\n<!-- end -->']
const text = readFileSync(readme, 'utf8')
const [before, rest] = text.split(begin)
const [old, after] = rest.split(end)
console.log(table(rows))
if (process.argv.includes('--write')) writeFileSync(readme, before + begin + table(rows) + end + after)
if (process.argv.includes('--check')) check(old)

function packageSizes() {
  const folder = mkdtempSync(join(tmpdir(), 'ottla-sizes-'))
  try {
    return packAll(folder).map(({ name, size, unpackedSize }) => [`\`${name}\``, size, unpackedSize, null])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function bundleSizes() {
  return Promise.all(
    Object.entries(programs).map(async ([name, contents]) => {
      const { outputFiles } = await build({
        stdin: { contents, resolveDir: root },
        bundle: true,
        minify: true,
        platform: 'node',
        format: 'esm',
        target: 'node20.19',
        write: false,
      })
      return [name, null, null, outputFiles[0].contents.length]
    }),
  )
}

function check(old) {
  const known = new Map(
    old
      .split('\n')
      .slice(2)
      .map(line =>
        line
          .split('|')
          .map(cell => cell.trim())
          .slice(1, -1),
      )
      .map(([name, ...figures]) => [name, figures]),
  )
  for (const [name, ...sizes] of rows) {
    const figures = known.get(name)
    if (figures === undefined) fail(`${name} is not in README.md: npm run sizes -- --write`)
    else {
      sizes.forEach((size, i) => {
        const limit = Number.parseFloat(figures[i]) * KB * (1 + MOST_GROWTH)
        if (size !== null && size > limit) fail(`${name}: ${kilobytes(size)} is over ${figures[i]} by more than 5 %`)
      })
    }
  }
}

function fail(why) {
  console.error(why)
  process.exitCode = 1
}

function kilobytes(size) {
  return size === null ? '' : `${Math.round(size / KB)} kB`
}

function table(lines) {
  const head = ['', 'packed', 'unpacked', 'bundled and minified']
  const cells = [head, ...lines.map(([name, ...sizes]) => [name, ...sizes.map(kilobytes)])]
  const widths = head.map((_, i) => Math.max(3, ...cells.map(row => row[i].length)))
  const line = row =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [line(cells[0]), rule, ...cells.slice(1).map(line)].join('\n')
}
