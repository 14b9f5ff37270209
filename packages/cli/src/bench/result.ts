import { libraryVersion } from 'ottla'

/** What to measure, and how. */
export interface BenchPlan {
  readonly topic: string
  readonly count: number
  readonly warmup: number
  /** Bytes of each value. */
  readonly size: number
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  readonly acks: string
  readonly lingerMs: number
  readonly batchBytes: number
  readonly idempotent: boolean
  readonly keys: boolean
  readonly api: BenchApi
  /** Limit of produced messages without a report. */
  readonly outstanding: number
}

export type BenchOperation = 'produce' | 'consume' | 'latency'
export type BenchApi = 'callback' | 'send' | 'batches' | 'poll' | 'iterate'

/** A moment: wall clock and the process's CPU time. */
export interface Mark {
  /** Seconds. */
  readonly wall: number
  readonly cpu: NodeJS.CpuUsage
}

export function mark(): Mark {
  return { wall: performance.now() / 1000, cpu: process.cpuUsage() }
}

/** The measurements of one run. */
export interface BenchRun {
  readonly start: Mark
  readonly end: Mark
  readonly errors: number
  readonly checksumOk: boolean
  /** Seconds from the first poll to the first message. */
  readonly firstMessage?: number
  /** Microseconds of each measured send. */
  readonly latencies?: Float64Array
}

const MICRO = 1e-6

/** The result as one line of JSON, in the format of the side-by-side benchmark. */
export function resultLine(operation: BenchOperation, plan: BenchPlan, run: BenchRun): string {
  const { start, end, errors, checksumOk, firstMessage, latencies } = run
  const { count, size, compression, acks } = plan
  const seconds = end.wall - start.wall
  return JSON.stringify({
    peer: 'ottla',
    version: libraryVersion,
    runtime: `node ${process.version}`,
    op: operation,
    count,
    size,
    compression,
    acks,
    wall_s: seconds,
    cpu_user_s: (end.cpu.user - start.cpu.user) * MICRO,
    cpu_sys_s: (end.cpu.system - start.cpu.system) * MICRO,
    msgs_per_s: count / seconds,
    mb_per_s: (count * size) / seconds / 1e6,
    maxrss_mb: process.resourceUsage().maxRSS / 1024,
    errors,
    checksum_ok: checksumOk,
    ...(firstMessage === undefined ? {} : { first_msg_s: firstMessage }),
    ...(latencies === undefined ? {} : percentiles(latencies)),
  })
}

function percentiles(latencies: Float64Array): { p50_us: number; p99_us: number; max_us: number } {
  const sorted = latencies.toSorted()
  const at = (index: number): number => sorted[index] ?? 0
  const { length } = sorted
  return { p50_us: at(length >> 1), p99_us: at(Math.floor((length * 99) / 100)), max_us: at(length - 1) }
}
