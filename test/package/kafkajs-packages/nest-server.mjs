// A NestJS microservice: `node nest-server.mjs BROKERS`, forked. It tells its parent what it does.
import 'reflect-metadata'
import { Controller, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import {
  EventPattern,
  KafkaRetriableException,
  MessagePattern,
  Payload,
  RpcException,
  Transport,
} from '@nestjs/microservices'

const brokers = process.argv[2].split(',')
const failedOnce = new Set()

class Handlers {
  sum({ numbers }) {
    process.send({ handled: 'sum' })
    return { total: numbers.reduce((total, each) => total + each, 0), pid: process.pid }
  }

  refuse() {
    process.send({ handled: 'refuse' })
    throw new RpcException('refused')
  }

  crash() {
    process.send({ handled: 'crash' })
    throw new Error('a bug')
  }

  notice({ id }) {
    process.send({ handled: 'notice', id })
  }

  flaky({ id }) {
    process.send({ handled: 'flaky', id })
    if (failedOnce.has(id)) return
    failedOnce.add(id)
    throw new KafkaRetriableException('not yet')
  }
}

class App {
  onModuleDestroy() {
    process.send({ destroyed: true })
  }

  beforeApplicationShutdown(signal) {
    process.send({ shutdown: signal })
  }
}

decorate('sum', MessagePattern('sum'))
decorate('refuse', MessagePattern('refuse'))
decorate('crash', MessagePattern('crash'))
decorate('notice', EventPattern('notice'))
decorate('flaky', EventPattern('flaky'))
Controller()(Handlers)
Module({ controllers: [Handlers] })(App)

const app = await NestFactory.createMicroservice(App, {
  logger: false,
  transport: Transport.KAFKA,
  options: {
    client: { brokers },
    consumer: { groupId: 'nest', heartbeatInterval: 100, retry: { initialRetryTime: 50 } },
    subscribe: { fromBeginning: true },
  },
})
app.enableShutdownHooks()
await app.listen()
process.send({ ready: true })

/** In place of decorators' syntax. */
function decorate(method, decorator) {
  const descriptor = Object.getOwnPropertyDescriptor(Handlers.prototype, method)
  decorator(Handlers.prototype, method, descriptor)
  Payload()(Handlers.prototype, method, 0)
}
