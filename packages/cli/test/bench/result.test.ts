import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resultLine, type BenchPlan, type BenchRun } from '../../src/bench/result.ts'

const plan: BenchPlan = {
  topic: 't',
  count: 1000,
  warmup: 0,
  size: 100,
  compression: 'none',
  acks: 'all',
  lingerMs: 5,
  batchBytes: 1_000_000,
  idempotent: false,
  keys: false,
  api: 'callback',
  outstanding: 1,
}
const run: BenchRun = {
  start: { wall: 10, cpu: { user: 1_000_000, system: 500_000 } },
  end: { wall: 12, cpu: { user: 4_000_000, system: 1_500_000 } },
  errors: 0,
  checksumOk: true,
}

function result(more: Partial<BenchRun> = {}): Record<string, unknown> {
  return JSON.parse(resultLine('produce', plan, { ...run, ...more })) as Record<string, unknown> // an object, as below
}

test('rates and times are differences between the marks, in seconds', () => {
  const { wall_s, cpu_user_s, cpu_sys_s, msgs_per_s, mb_per_s } = result()
  assert.deepEqual({ wall_s, cpu_user_s, cpu_sys_s }, { wall_s: 2, cpu_user_s: 3, cpu_sys_s: 1 })
  assert.deepEqual({ msgs_per_s, mb_per_s }, { msgs_per_s: 500, mb_per_s: 0.05 })
})

test('percentiles are taken from the sorted latencies, whatever their order', () => {
  const latencies = Float64Array.from({ length: 100 }, (_, i) => 100 - i)
  const { p50_us, p99_us, max_us } = result({ latencies })
  assert.deepEqual({ p50_us, p99_us, max_us }, { p50_us: 51, p99_us: 100, max_us: 100 })
  assert.deepEqual(latencies[0], 100, 'the measurements stay as they are')
})

test('fields that were not measured are left out', () => {
  assert.equal('p50_us' in result(), false)
  assert.equal('first_msg_s' in result(), false)
  assert.equal(result({ firstMessage: 0.5 })['first_msg_s'], 0.5)
})
