import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeMetrics } from '../../src/otlp/decode.ts'
import { encodeMetrics } from '../../src/otlp/encode.ts'
import type { MetricsData } from '../../src/otlp/metrics-data.ts'
import { fieldsOf } from '../../src/otlp/protobuf.ts'
import { ProtocolError } from '../../src/wire/protocol-error.ts'

const data: MetricsData = {
  resource: { group_id: 'billing', client_rack: '' },
  scope: { name: 'ottla#consumer-1', version: '0.1.0' },
  metrics: [
    {
      name: 'a.total',
      description: 'How many.',
      unit: '1',
      kind: 'delta',
      points: [
        { attributes: {}, startMs: 1_700_000_000_000, atMs: 1_700_000_001_000, value: 12_345_678_901, isInteger: true },
      ],
    },
    {
      name: 'b.avg',
      description: '',
      unit: '',
      kind: 'gauge',
      points: [
        { attributes: { node_id: 3, up: true, share: 0.5 }, startMs: 1, atMs: 2, value: 0.25, isInteger: false },
        { attributes: { node_id: -1 }, startMs: 1, atMs: 2, value: -7, isInteger: true },
      ],
    },
    { name: 'c', description: '', unit: '', kind: 'cumulative', points: [] },
  ],
}

test('metrics come back as they were', () => {
  assert.deepEqual(decodeMetrics(encodeMetrics(data)), [data])
  assert.deepEqual(decodeMetrics(new Uint8Array()), [])
})

test('the bytes are those of Protocol Buffers', () => {
  const small = encodeMetrics({
    resource: { k: 'v' },
    scope: { name: 's', version: '' },
    metrics: [
      {
        name: 'm',
        description: '',
        unit: '',
        kind: 'cumulative',
        points: [{ attributes: {}, startMs: 0, atMs: 1, value: 300, isInteger: true }],
      },
    ],
  })
  // By hand, from opentelemetry/proto/metrics/v1/metrics.proto: length-delimited fields have the wire type 2, fixed64 has 1.
  const point = '11' + '0000000000000000' + '19' + '40420f0000000000' + '31' + '2c01000000000000'
  const sum = `0a1b${point}1002` + '1801'
  const metric = `0a016d3a21${sum}`
  const scope = `0a030a0173` + `1226${metric}`
  const resource = '0a0a' + '0a08' + '0a016b' + '12030a0176'
  assert.equal(small.toString('hex'), `0a3b${resource}122d${scope}`)
})

test('what is cut off, or is no such message, is refused', () => {
  const whole = encodeMetrics(data)
  assert.throws(() => decodeMetrics(whole.subarray(0, whole.length - 1)), ProtocolError)
  assert.throws(() => [...fieldsOf(Uint8Array.from([0x0b]))], /unknown type 3/)
  assert.throws(() => [...fieldsOf(new Uint8Array(12).fill(0xff))], /too many bytes/)
  // A field that nobody knows, and one of four bytes, are skipped.
  assert.deepEqual(
    decodeMetrics(Buffer.concat([Buffer.from('7801', 'hex'), whole, Buffer.from('8d0100000000', 'hex')])),
    [data],
  )
})
