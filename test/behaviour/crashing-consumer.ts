/** A consumer that the test kills: prints the messages it gets, commits as asked, and waits to be killed. */
import { Consumer, type ConsumerConfig, type Message } from 'ottla'

interface Order {
  readonly settings: ConsumerConfig
  readonly topic: string
  readonly what: 'await-commit' | 'commit-half'
  readonly count: number
}

const order = JSON.parse(process.argv[2] ?? '{}') as Order // written by the test that starts this program
const consumer = new Consumer(order.settings)
const handed = new Map<number, number>()
const committed = new Map<number, number>()

consumer.on('offsets-committed', event => {
  for (const { partition, offset } of event.offsets) committed.set(partition, offset)
})
consumer.subscribe(order.topic)
const messages: Message[] = []
while (messages.length < order.count) {
  const message = await consumer.readMessage(60_000)
  messages.push(message)
  handed.set(message.partition, message.offset + 1)
  console.log(`${message.partition}/${message.offset}`)
}
if (order.what === 'commit-half') {
  const half = messages[order.count / 2 - 1]
  if (half !== undefined) await consumer.commitMessage(half)
} else {
  const done = (): boolean => [...handed].every(([partition, offset]) => committed.get(partition) === offset)
  while (!done()) await new Promise(resolve => setTimeout(resolve, 20))
}
console.log('ready to die')
setInterval(() => undefined, 1000)
