import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { nextSeedOf, SeedLedger, summaryOf } from '../simulation/seed-ledger.ts'

const manner = { workloads: 'all', tempo: 'mixed', minutes: 10 } as const

function ledgerFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ottla-seeds-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'SEEDS.md')
}

test('seeds are entered once all before them were played; the next run goes on behind them', t => {
  const path = ledgerFile(t)
  assert.equal(nextSeedOf(path), 1)
  const ledger = new SeedLedger(path, manner, 101, 'abc')
  ledger.played(101, { hasFailed: false, cpuMs: 1000 })
  ledger.played(103, { hasFailed: false, cpuMs: 3000 })
  ledger.write()
  assert.equal(nextSeedOf(path), 102)
  ledger.played(102, { hasFailed: true, cpuMs: 2000 })
  ledger.write()
  assert.equal(nextSeedOf(path), 104)
  assert.match(
    readFileSync(path, 'utf8'),
    /^\| 101\.\.103 \| all \| mixed \| 10 \| abc \| 2 \| 102 \| 6 \| \d{4}-\d\d-\d\d \|$/m,
  )
  assert.equal(summaryOf(path), 'of 10 virtual minutes: 2 seeds passed, 1 failed; 1800 per CPU hour')
})

test('a run that differs in nothing continues the row of the one before; any other has a row of its own', t => {
  const path = ledgerFile(t)
  const play = (first: number, commit: string): void => {
    const ledger = new SeedLedger(path, manner, first, commit)
    ledger.played(first, { hasFailed: false, cpuMs: 1000 })
    ledger.write()
  }
  play(1, 'abc')
  play(2, 'abc')
  play(3, 'def')
  play(9, 'def')
  const rows = readFileSync(path, 'utf8').match(/^\| \d+\.\.\d+/gm)
  assert.deepEqual(rows, ['| 1..2', '| 3..3', '| 9..9'])
})
