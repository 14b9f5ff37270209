import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokerRegex } from '../../../src/consumer/group/patterns.ts'
import { Subscription } from '../../../src/consumer/group/subscription.ts'

const regex = (...terms: (string | RegExp)[]): string | null => brokerRegex(new Subscription(terms))

test('patterns become one that has to match the whole name', () => {
  assert.equal(regex('names', 'only'), '')
  assert.equal(regex('^orders'), '.*(?:(?:^orders)).*')
  assert.equal(regex(/[a-c]\d$/, /X/i, 'name'), '.*(?:(?:[a-c]\\d$)|(?i:X)).*')
})

test('what only JavaScript understands is not for the broker', () => {
  for (const pattern of [/^(?!internal)/, /(?<=a)b/, /(a)\1/, /(?<x>a)\k<x>/, new RegExp('[\\p{L}--a]', 'v')]) {
    assert.equal(regex(pattern, '^fine'), null, String(pattern))
  }
})
