import type { Consumer, Producer } from 'ottla'
import type { Properties } from '../client/options.ts'
import type { Narrator } from './narrator.ts'
import type { DemoCluster } from './demo-cluster.ts'

/** What the steps of the demo work with. The demo closes all clients at its end, however it ends. */
export interface DemoContext {
  readonly cluster: DemoCluster
  readonly narrator: Narrator
  producer(properties?: Properties): Producer
  consumer(properties?: Properties): Consumer
}
