import { ErrorCode, type DeliveryReport, type Producer } from 'ottla'
import type { Column } from '../terminal/table.ts'
import type { DemoContext } from './context.ts'

const FLUSH_MS = 15_000
// With four partitions, these keys go to three different ones.
const keys = ['ant', 'cat', 'fox']

interface Received {
  readonly report: DeliveryReport
  readonly by: string
}

const reportColumns: Column<Received>[] = [
  { title: 'key', cell: t => String(t.report.key) },
  { title: 'value', cell: t => String(t.report.value) },
  { title: 'partition', cell: t => t.report.partition, right: true },
  { title: 'offset', cell: t => t.report.offset, right: true },
  { title: 'ms', cell: t => t.report.latencyMs.toFixed(1), right: true },
  { title: 'reported by', cell: t => t.by },
]

/** Alice produces 18 messages, 6 of them in the first step. */
export async function produceSteps(context: DemoContext): Promise<void> {
  const alice = context.producer()
  await deliveryReports(context, alice)
  await oneKeyOnePartition(context, alice)
  await withoutPermission(context, alice)
}

async function deliveryReports({ narrator, cluster }: DemoContext, alice: Producer): Promise<void> {
  narrator.step('alice produces; each message gets a delivery report')
  narrator.say(`The topic ${cluster.topic} does not exist yet: producing to it creates it.`)
  const received: Received[] = []
  const onDelivery = ({ report }: { report: DeliveryReport }): void => void received.push({ report, by: 'an event' })
  alice.on('delivery', onDelivery)
  for (const [i, key] of [...keys, ...keys].entries()) {
    const message = { topic: cluster.topic, key, value: `hello ${i + 1}` }
    if (i % 2 === 0) alice.produce(message, report => received.push({ report, by: 'its callback' }))
    else alice.produce(message)
  }
  narrator.say(`produce() has returned 6 times; ${alice.outstanding} messages are outstanding.`)
  const left = await alice.flush(FLUSH_MS)
  alice.off('delivery', onDelivery)
  received.sort((a, b) => (String(a.report.value) < String(b.report.value) ? -1 : 1))
  narrator.table(received, reportColumns)
  narrator.check('flush() waited until no message was outstanding', left === 0)
  narrator.check(
    'six reports, none with an error',
    received.length === 6 && received.every(r => r.report.error === undefined),
  )
  const before = performance.now()
  const again = await alice.flush(FLUSH_MS)
  narrator.check('flush() with nothing outstanding returns at once', again === 0 && performance.now() - before < 1000)
}

async function oneKeyOnePartition({ narrator, cluster }: DemoContext, alice: Producer): Promise<void> {
  narrator.step('Messages with the same key go to the same partition, in order')
  const reports: DeliveryReport[] = []
  for (let i = 0; i < 12; i++) {
    const key = keys[i % keys.length] ?? ''
    alice.produce({ topic: cluster.topic, key, value: `${key} ${i}` }, report => reports.push(report))
  }
  await alice.flush(FLUSH_MS)
  const byKey = keys.map(key => ({ key, reports: reports.filter(r => r.key === key) }))
  narrator.table(byKey, [
    { title: 'key', cell: k => k.key },
    { title: 'partition', cell: k => [...new Set(k.reports.map(r => r.partition))].join(','), right: true },
    { title: 'offsets', cell: k => k.reports.map(r => r.offset).join(' ') },
  ])
  const together = byKey.every(k => new Set(k.reports.map(r => r.partition)).size === 1)
  narrator.check('each key has one partition', together)
  const ordered = byKey.every(k => k.reports.every((r, i) => i === 0 || r.offset > (k.reports[i - 1]?.offset ?? -1)))
  narrator.check('within it, offsets increase in the order of the calls', reports.length === 12 && ordered)
}

async function withoutPermission({ narrator, cluster }: DemoContext, alice: Producer): Promise<void> {
  narrator.step('Without permission, the broker refuses')
  const { forbiddenTopic } = cluster
  if (forbiddenTopic === undefined) {
    narrator.say('Skipped: with --forbidden, name a topic that alice may not write to.')
    return
  }
  const report = new Promise<DeliveryReport>(resolve => {
    alice.produce({ topic: forbiddenTopic, value: 'not for me' }, resolve)
  })
  await alice.flush(FLUSH_MS)
  const { error } = await report
  narrator.say(`${forbiddenTopic}: ${error === undefined ? 'delivered' : `${error.name}, ${error.message}`}`)
  const refused = error?.code === ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED
  narrator.check('the delivery report carries the authorization error', refused)
}
