import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientContext } from '../../../src/cluster/context.ts'
import type { MetadataCache } from '../../../src/cluster/metadata.ts'
import { SubscribedTopics } from '../../../src/consumer/group/subscribed-topics.ts'
import { Subscription } from '../../../src/consumer/group/subscription.ts'

function subscribed(blacklist: string[] = []) {
  const wanted = new Map<string, number>()
  const count = (name: string, by: number): void => void wanted.set(name, (wanted.get(name) ?? 0) + by)
  const topics = new Map(['orders', 'orders.old', 'payments'].map(topic => [topic, { topic, errorCode: 0 }]))
  const metadata = {
    snapshot: { topics },
    want: (name: string) => count(name, 1),
    unwant: (name: string) => count(name, -1),
    wantAll: () => count('*', 1),
    unwantAll: () => count('*', -1),
  }
  const context = { settings: { 'topic.blacklist': blacklist } } as unknown as ClientContext
  const subscriptions = new SubscribedTopics(context, metadata as unknown as MetadataCache)
  const shown = (): string[] => [...wanted].filter(([, times]) => times !== 0).map(([name, n]) => `${name} ${n}`)
  return { subscriptions, shown }
}

test('the topics of a subscription are kept known until another one takes its place', () => {
  const { subscriptions, shown } = subscribed()
  const first = new Subscription(['orders', 'payments'])
  const next = new Subscription(['payments', '^or'])
  subscriptions.replace(null, first)
  assert.deepEqual(shown(), ['orders 1', 'payments 1'])
  subscriptions.replace(first, next)
  subscriptions.wantAll()
  subscriptions.wantAll()
  assert.deepEqual(shown(), ['payments 1', '* 1'])
  subscriptions.replace(next, null)
  assert.deepEqual(shown(), [])
})

test('patterns do not reach what topic.blacklist names; names do', () => {
  const { subscriptions } = subscribed(['\\.old$'])
  assert.deepEqual(subscriptions.of(new Subscription('^orders')), ['orders'])
  assert.deepEqual(subscriptions.of(new Subscription(['orders.old'])), ['orders.old'])
})
