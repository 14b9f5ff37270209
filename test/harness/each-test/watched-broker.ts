/** What tests import as `@ottla/broker`: the same package, but every cluster that starts is registered. */
import { EmbeddedCluster } from '@ottla/broker'
import { closed, opened } from './open-things.ts'

export * from '@ottla/broker'

const start = EmbeddedCluster.start.bind(EmbeddedCluster)
EmbeddedCluster.start = async options => {
  const cluster = await start(options)
  opened(cluster, 'EmbeddedCluster', () => cluster.close())
  return cluster
}

const close = EmbeddedCluster.prototype.close // eslint-disable-line @typescript-eslint/unbound-method -- called with its own `this`
EmbeddedCluster.prototype.close = function (this: EmbeddedCluster): Promise<void> {
  const closing = close.call(this)
  closed(this, closing)
  return closing
}
