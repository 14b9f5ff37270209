import { OFFSET_BEGINNING, type Consumer, type Message, type RebalanceEvent, type TopicPartition } from 'ottla'
import type { DemoContext } from './context.ts'
import { GROUP } from './demo-cluster.ts'

// Members learn of a rebalance by a heartbeat: frequent ones keep the demo short.
const quickConfig = {
  'group.id': GROUP,
  'heartbeat.interval.ms': 300,
  'session.timeout.ms': 6000,
  'auto.offset.reset': 'earliest',
}
const PRODUCED_BEFORE = 18

/** Bob consumes what alice has produced. */
export async function consumeSteps(context: DemoContext): Promise<void> {
  const bob = await customOffsets(context)
  await joinAndLeave(context, bob)
  await atMostOnce(context, bob)
  await atLeastOnce(context)
}

async function customOffsets(context: DemoContext): Promise<Consumer> {
  const { narrator, cluster } = context
  narrator.step(`bob joins ${GROUP}; his rebalance callback chooses where to begin`)
  const bob = context.consumer(quickConfig)
  let begun = false
  bob.subscribe(cluster.topic, async (event, consumer) => {
    narrator.say(`${event.type}: ${partitionsText(event.partitions)}`)
    if (event.type !== 'assign' || begun) return
    begun = true
    await consumer.assign(event.partitions.map(p => ({ ...p, offset: OFFSET_BEGINNING })))
  })
  const messages = await readMany(bob, PRODUCED_BEFORE)
  narrator.say(`first: ${messageText(messages[0])}`)
  narrator.say(`last:  ${messageText(messages.at(-1))}`)
  narrator.check(`readMessage(-1) delivered all ${PRODUCED_BEFORE} messages`, messages.length === PRODUCED_BEFORE)
  narrator.check('each partition in order, from offset 0', inOrderFromZero(messages))
  return bob
}

async function joinAndLeave(context: DemoContext, bob: Consumer): Promise<void> {
  const { narrator, cluster } = context
  narrator.step('A second member joins the group and leaves it')
  const all = bob.assignment().length
  const second = context.consumer(quickConfig)
  const events: RebalanceEvent['type'][] = []
  second.subscribe(cluster.topic, event => void events.push(event.type))
  const together = (): boolean =>
    second.assignment().length > 0 && bob.assignment().length === all - second.assignment().length
  await pollUntil([bob, second], together)
  narrator.say(`bob:    ${partitionsText(bob.assignment())}`)
  narrator.say(`second: ${partitionsText(second.assignment())}`)
  narrator.check('the two share the partitions', together())
  await second.close()
  await pollUntil([bob], () => bob.assignment().length === all)
  narrator.say(`bob:    ${partitionsText(bob.assignment())}`)
  narrator.check('after it has left, bob has all of them again', bob.assignment().length === all)
}

async function atMostOnce(context: DemoContext, bob: Consumer): Promise<void> {
  const { narrator, cluster } = context
  narrator.step('At most once: offsets are stored and committed automatically')
  await bob.close()
  narrator.say('bob closes, which commits the delivered messages. alice produces 3 more.')
  await produceMore(context, 'while bob was away', 3)
  const restarted = context.consumer(quickConfig)
  restarted.subscribe(cluster.topic)
  const messages = await readMany(restarted, 3)
  for (const message of messages) narrator.say(messageText(message))
  narrator.check(
    'the restarted bob resumes: the 3 new messages and nothing else',
    onlyNew(messages, 'while bob was away'),
  )
  await restarted.close()
}

async function atLeastOnce(context: DemoContext): Promise<void> {
  const { narrator, cluster } = context
  narrator.step('At least once: enable.auto.commit=false, and a commit after processing')
  await produceMore(context, 'job', 3)
  const manualCommit = { ...quickConfig, 'enable.auto.commit': false }
  const worker = context.consumer(manualCommit)
  worker.subscribe(cluster.topic)
  const jobs = await readMany(worker, 3)
  for (const job of jobs.slice(0, 2)) {
    await worker.commitMessage(job)
    narrator.say(`processed and committed: ${messageText(job)}`)
  }
  narrator.say(`delivered, but not processed: ${messageText(jobs[2])}`)
  await worker.close()
  const next = context.consumer(manualCommit)
  next.subscribe(cluster.topic)
  const [again] = await readMany(next, 1)
  narrator.say(`after a restart: ${messageText(again)}`)
  const same = again !== undefined && again.offset === jobs[2]?.offset && again.partition === jobs[2].partition
  narrator.check('the uncommitted message comes again', same)
  const [committed] = again === undefined ? [] : await next.commitMessage(again)
  narrator.check(
    'and is committed now',
    committed?.error === undefined && committed?.offset === (again?.offset ?? 0) + 1,
  )
  await next.close()
}

async function produceMore(context: DemoContext, text: string, count: number): Promise<void> {
  const alice = context.producer()
  for (let i = 1; i <= count; i++) alice.produce({ topic: context.cluster.topic, key: 'ant', value: `${text} ${i}` })
  await alice.flush(15_000)
  await alice.close()
}

async function readMany(consumer: Consumer, count: number): Promise<Message[]> {
  const messages: Message[] = []
  while (messages.length < count) messages.push(await consumer.readMessage(-1))
  return messages
}

/** Polls, since members take part in a rebalance only while they poll. */
async function pollUntil(consumers: readonly Consumer[], done: () => boolean): Promise<void> {
  await Promise.all(
    consumers.map(async consumer => {
      while (!done() && !consumer.closed) await consumer.poll(100)
    }),
  )
}

function inOrderFromZero(messages: readonly Message[]): boolean {
  const next = new Map<number, number>()
  for (const { partition, offset } of messages) {
    if (offset !== (next.get(partition) ?? 0)) return false
    next.set(partition, offset + 1)
  }
  return true
}

function onlyNew(messages: readonly Message[], text: string): boolean {
  return messages.every((message, i) => message.value?.toString() === `${text} ${i + 1}`)
}

function partitionsText(partitions: readonly TopicPartition[]): string {
  if (partitions.length === 0) return 'nothing'
  return `partitions ${partitions
    .map(p => p.partition)
    .toSorted()
    .join(', ')}`
}

function messageText(message: Message | undefined): string {
  if (message === undefined) return 'nothing'
  const { partition, offset, key, value } = message
  return `[${partition}] ${String(offset).padStart(2)}  ${key?.toString() ?? ''}: ${value?.toString() ?? ''}`
}
