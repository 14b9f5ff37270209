/** A member that the test suspends and resumes: prints messages and events as lines of JSON. */
import { Consumer, ShareConsumer, type ConsumerConfig, type ShareConsumerConfig } from 'ottla'

const order = JSON.parse(process.argv[2] ?? '{}') as {
  readonly settings: ConsumerConfig & ShareConsumerConfig
  readonly topic: string
  readonly isShare: boolean
} // written by the test that starts this program
const tell = (what: string, value: unknown): void => console.log(JSON.stringify({ what, value }))
const member = order.isShare ? new ShareConsumer(order.settings) : new Consumer(order.settings)
if (member instanceof Consumer) {
  member.on('error', ({ error }) => tell('error', error.name))
  member.on('rebalance', ({ event }) => tell('rebalance', event.type))
  member.subscribe(order.topic)
} else {
  member.on('error', ({ error }) => tell('error', error.name))
  member.subscribe(order.topic)
}
process.stdin.resume().on('end', () => void member.close())
const announced = setInterval(() => {
  const assigned = member.assignment().length
  if (assigned > 0) tell('assigned', assigned)
}, 50)
for await (const { value } of member) tell('read', String(value))
clearInterval(announced)
