/** What tests import as `ottla`, by `redirect.mjs`: the same package, but every client created is registered. */
import {
  AdminClient as RealAdmin,
  Consumer as RealConsumer,
  Producer as RealProducer,
  ShareConsumer as RealShare,
} from 'ottla'
import { closed, opened } from './open-things.ts'

export * from 'ottla'

interface Client {
  close(): unknown
}

type Maker = abstract new (...args: never[]) => Client

function watched<T extends Maker>(name: string, client: T): T {
  const proto = client.prototype as Client
  const original = proto.close // eslint-disable-line @typescript-eslint/unbound-method -- called with its own `this`
  proto.close = function close(this: Client, ...args: []): unknown {
    const closing = original.apply(this, args)
    closed(this, closing)
    return closing
  }
  return new Proxy(client, {
    construct(target, args, newTarget) {
      const made = Reflect.construct(target, args, newTarget) as Client
      const id = (args[0] as Record<string, unknown> | undefined)?.['client.id']
      opened(made, typeof id === 'string' ? `${name} ${id}` : name, () => made.close())
      return made
    },
  })
}

export const AdminClient = watched('AdminClient', RealAdmin)
export const Consumer = watched('Consumer', RealConsumer)
export const Producer = watched('Producer', RealProducer)
export const ShareConsumer = watched('ShareConsumer', RealShare)
