// docs/compatibility.md.

const introduction = `# What ottla works with

Made by \`npm run compatibility\`: every \`yes\` was tried with the packed packages, installed into an empty project. An
empty cell does not exist, or was not tried.

The packages need Node.js 20.19, Bun 1.2.10 or Deno 2.8, or later. They can be loaded with \`import\` and \`require\`; a
process that does both has one copy of each.
`

const notes = {
  TypeScript:
    'The declarations of all packages, with `skipLibCheck: false`: in an ES module and in a CommonJS module, with\n`types: ["node"]` and with `types: []`. They refer to `@types/node`, which has to be installed. TypeScript 7 has no\n`node10`.',
  'Test runners':
    'Each with its defaults: a cluster, a producer, a consumer, every codec, and a program for each of kafkajs, node-rdkafka\nand Confluent’s package, with the package that stands in for it installed by that name.',
  Bundlers:
    'The same in a bundle that runs where no package can be found. None of them warns. What stays outside: the native code\nfor speed, and zstd on Node.js before 22.15 (`npm install @bokuweb/zstd-wasm` where the bundle runs).',
  Runtimes: 'The same, from CommonJS and from an ES module.',
}

/** @param {readonly import('./main.mjs').Result[]} results all of them hold */
export function page(results) {
  const groups = [...new Set(results.map(({ group }) => group))]
  return `${introduction}${groups
    .map(group =>
      section(
        group,
        results.filter(each => each.group === group),
      ),
    )
    .join('')}`
}

function section(group, results) {
  const columns = [...new Set(results.map(({ column }) => column))]
  const rows = [...new Set(results.map(({ row }) => row))]
  const cell = (row, column) => (results.some(each => each.row === row && each.column === column) ? 'yes' : '')
  const version = row => results.find(each => each.row === row).version
  const lines = rows.map(row => [row, version(row), ...columns.map(column => cell(row, column))])
  return `\n## ${group}\n\n${notes[group]}\n\n${table([['', 'tried', ...columns], ...lines])}\n`
}

function table([head, ...rows]) {
  const widths = head.map((_, i) => Math.max(3, ...[head, ...rows].map(row => row[i].length)))
  const line = cells => `| ${cells.map((text, i) => text.padEnd(widths[i])).join(' | ')} |`
  return [line(head), line(widths.map(width => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
