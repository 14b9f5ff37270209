// A reporter for node:test in few lines: one line a file, failures and what a failing file printed in full, then
// node:test's own totals.
import { relative } from 'node:path'

const totals = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/

export default async function* report(events) {
  const files = new Map()
  const summary = []
  let current
  for await (const { type, data } of events) {
    const file = data.file === undefined ? undefined : fileOf(files, data.file)
    switch (type) {
      case 'test:pass':
      case 'test:fail':
        if (file !== undefined) {
          // Results come file by file: with another one's first the last one is complete.
          if (current !== undefined && current !== file) yield* line(current)
          current = file
          count(file, type, data)
        }
        if (type === 'test:fail') yield* failure(data)
        break
      case 'test:stdout':
      case 'test:stderr':
        file?.output.push(data.message)
        break
      case 'test:diagnostic':
        if (data.nesting === 0 && totals.test(data.message)) summary.push(`ℹ ${data.message}\n`)
        break
    }
  }
  if (current !== undefined) yield* line(current)
  yield* summary
}

function fileOf(files, path) {
  let file = files.get(path)
  if (file === undefined) {
    file = { path: relative(process.cwd(), path), passed: 0, failed: 0, skipped: 0, ms: 0, output: [] }
    files.set(path, file)
  }
  return file
}

function* line({ path, passed, failed, skipped, ms, output }) {
  const counts = [`${passed}`]
  if (skipped > 0) counts.push(`${skipped} skipped`)
  if (failed > 0) counts.push(`${failed} FAILED`)
  yield `${failed > 0 ? '✖' : '✔'} ${path} (${counts.join(', ')}, ${Math.round(ms)} ms)\n`
  if (failed > 0 && output.length > 0) yield `${output.join('').trimEnd()}\n`
}

function count(file, type, data) {
  if (data.nesting === 0) file.ms += data.details.duration_ms
  if (data.details.type === 'suite') return
  if (data.skip !== undefined) file.skipped++
  else if (type === 'test:fail') file.failed++
  else file.passed++
}

function* failure(data) {
  const error = data.details.error
  // A suite or file that fails because of the tests inside says nothing new.
  if (error?.failureType === 'subtestsFailed') return
  const where = data.file === undefined ? '' : ` (${relative(process.cwd(), data.file)}:${data.line ?? 1})`
  const cause = error?.cause ?? error
  const text = cause instanceof Error || cause?.stack ? cause.stack : String(cause)
  yield `✖ ${data.name}${where}\n${text.replaceAll(/^/gm, '    ')}\n`
}
