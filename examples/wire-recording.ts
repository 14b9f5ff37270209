/** A recording of the wire for a bug report: what a producer and its brokers said, without what the messages hold. */
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Producer, wireRecording } from 'ottla'
import { fresh, openCluster } from './cluster.ts'

const cluster = await openCluster()
const file = join(tmpdir(), `${fresh('orders')}.jsonl`)

const record = wireRecording(file)
const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'client.id': 'alice' }, { record })
await producer.send({ topic: fresh('orders'), key: 'customer-7', value: 'a secret of customer 7' })
await producer.close()
record.close()

// `ottla replay FILE` shows it; here, the number of events has to do.
const text = readFileSync(file, 'utf8')
const events = text.trim().split('\n').slice(1)
const frames = events.map(line => JSON.parse(line) as { frame?: string | null }).map(({ frame }) => frame ?? '')
const isSecret = frames.every(frame => !Buffer.from(frame, 'base64').includes('customer'))
console.log(
  `${frames.filter(frame => frame !== '').length} requests and responses, ${isSecret ? 'no' : 'SOME'} contents`,
)
if (!isSecret) throw new Error('the recording must not hold what the message does')

rmSync(file)
await cluster.close()
