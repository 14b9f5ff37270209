/** Serializers and deserializers decide the types of keys and values. Compiled, never run. */
import {
  Consumer,
  Producer,
  ShareConsumer,
  bytes,
  float64,
  int32,
  int64,
  json,
  string,
  uuid,
  type Bytes,
  type Deserializer,
  type Serdes,
  type Serializer,
} from '../../src/index.ts'
import { check, exactly } from './same.ts'

interface Order {
  readonly amount: number
}

const config = { 'bootstrap.servers': 'localhost:9092' }
const member = { ...config, 'group.id': 'shop' }

/** What they say is what the client takes and gives. */
export function inferred(): void {
  exactly<Producer<string, Order>>()(new Producer(config, { key: string, value: json<Order>() }))
  exactly<Consumer<number, Order>>()(new Consumer(member, { key: int32, value: json<Order>() }))
  exactly<ShareConsumer<Buffer, string>>()(new ShareConsumer(member, { value: uuid }))
  exactly<Consumer<Buffer, number>>()(new Consumer(member, { key: bytes, value: float64 }))
  exactly<Consumer<number, unknown>>()(new Consumer(member, { key: int64, value: json() }))
}

/** Functions of the application. */
export function own(): void {
  const serialize: Serializer<Order> = order => JSON.stringify(order)
  const later: Serializer<Order> = async (order, { topic }) => Promise.resolve(`${topic}${order.amount}`)
  const deserialize: Deserializer<Order> = data => ({ amount: data.readInt32BE() })
  exactly<Producer<Bytes, Order>>()(new Producer(config, { value: serialize }))
  exactly<Producer<Bytes, Order>>()(new Producer(config, { value: later }))
  exactly<Consumer<Buffer, Order>>()(new Consumer(member, { value: deserialize }))
  const pair: Serdes<Order> = { serialize: order => String(order.amount), deserialize }
  new Producer<string, Order>(config, { key: string, value: pair })
  new Consumer(member, { value: data => data.length }).on('message', ({ message }) => {
    exactly<number | null>()(message.value)
  })
  // Half of a pair does where only half of it is used.
  new Producer(config, { value: { serialize } })
  new Consumer(member, { value: { deserialize } })
}

export function refused(): void {
  const producer = new Producer(config, { value: json<Order>() })
  producer.produce({ topic: 'orders', value: { amount: 1 } })
  // @ts-expect-error a field has another type
  producer.produce({ topic: 'orders', value: { amount: '1' } })
  // @ts-expect-error it takes orders, not text
  producer.produce({ topic: 'orders', value: 'text' })
  // @ts-expect-error a producer serializes
  new Producer(config, { value: { deserialize: () => null } })
  // @ts-expect-error a consumer deserializes
  new Consumer(member, { value: { serialize: () => null } })
  // @ts-expect-error it makes a number
  new Consumer<string, string>(member, { value: int32 })
  // @ts-expect-error a factory, which was not called
  new Producer<string, Order>(config, { value: json })
  // @ts-expect-error neither bytes nor text
  const wrong: Serializer<Order> = order => order.amount
  check(wrong)
}
