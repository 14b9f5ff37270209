// A NestJS client: `node nest-client.mjs BROKERS`, forked. Its parent sends requests and events, and gets the answers.
import { ClientKafka } from '@nestjs/microservices'
import { lastValueFrom } from 'rxjs'

const client = new ClientKafka({
  client: { brokers: process.argv[2].split(','), logLevel: 0 },
  consumer: { groupId: 'nest', heartbeatInterval: 100 },
})
for (const pattern of ['sum', 'refuse', 'crash']) client.subscribeToResponseOf(pattern)
await client.connect()
process.on('message', async ({ id, request, event, data, close }) => {
  if (close) {
    await client.close()
    process.send({ id, closed: true })
    process.disconnect()
    return
  }
  try {
    const sent = request === undefined ? client.emit(event, data) : client.send(request, data)
    process.send({ id, value: await lastValueFrom(sent) })
  } catch (error) {
    process.send({ id, error: typeof error === 'string' ? error : (error.message ?? JSON.stringify(error)) })
  }
})
process.send({ ready: true })
