import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { propagation, ROOT_CONTEXT, trace, TraceFlags, type Context } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { asReceived, carrierOf, messageContext, spanContexts, withCarrier } from '../src/headers.ts'

before(() => propagation.setGlobalPropagator(new W3CTraceContextPropagator()))
after(() => propagation.disable())

const traceId = '0af7651916cd43dd8448eb211c80319c'
const contextOf = (spanId: string): Context =>
  trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED })
const value = (spanId: string): string => `00-${traceId}-${spanId}-01`
const [one, two] = ['b7ad6b7169203331', 'b7ad6b7169203332']

test('a context is added to headers of every form, in place of an older one, and what was given stays as it is', () => {
  const record = { a: '1', TraceParent: value(two) }
  const list = [
    { key: 'a', value: Buffer.from('1') },
    { key: 'traceparent', value: Buffer.from(value(two)) },
    { key: 'a', value: null },
  ]
  const carrier = carrierOf(contextOf(one)) ?? assert.fail('nothing is carried')
  assert.deepEqual(withCarrier(undefined, carrier), { traceparent: value(one) })
  assert.deepEqual(withCarrier(record, carrier), { a: '1', traceparent: value(one) })
  assert.deepEqual(withCarrier(list, carrier), [
    ['a', Buffer.from('1')],
    ['a', null],
    ['traceparent', value(one)],
  ])
  const pairs = [
    ['a', '1'],
    ['Traceparent', value(two)],
  ] as const
  for (const each of [pairs, new Map(pairs)]) {
    assert.deepEqual(withCarrier(each, carrier), [
      ['a', '1'],
      ['traceparent', value(one)],
    ])
    assert.equal(spanContexts([{ headers: asReceived(each) }], 1)[0]?.spanId, two)
  }
  assert.deepEqual(Object.keys(record), ['a', 'TraceParent'])
  assert.equal(list.length, 3)
  assert.equal(carrierOf(ROOT_CONTEXT), undefined)
})

test('a context is found in the headers of a message, whatever their case, and the last one counts', () => {
  const headers = [
    { key: 'traceparent', value: Buffer.from(value(two)) },
    { key: 'TraceParent', value: Buffer.from(value(one)) },
    { key: 'other', value: null },
  ]
  assert.equal(trace.getSpanContext(messageContext({ headers }))?.spanId, one)
  assert.equal(messageContext({ headers: [] }), ROOT_CONTEXT)
  const broken = [{ key: 'traceparent', value: Buffer.from([0xff, 0xfe]) }]
  assert.equal(trace.getSpanContext(messageContext({ headers: broken })), undefined)
})

test('of many messages each context counts once, up to a limit', () => {
  const from = (spanId: string): { headers: ReturnType<typeof asReceived> } => ({
    headers: asReceived({ traceparent: value(spanId) }),
  })
  const found = spanContexts([from(one), from(two), from(one), { headers: [] }], 10)
  assert.deepEqual(
    found.map(({ spanId }) => spanId),
    [one, two],
  )
  assert.equal(spanContexts([from(one), from(two)], 1).length, 1)
  assert.deepEqual(asReceived(undefined), [])
})
