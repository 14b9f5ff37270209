import type { Consumer, Producer } from 'ottla'
import type { Properties } from '../client/options.ts'
import type { Narrator } from './narrator.ts'
import type { DemoWorld } from './world.ts'

/** Where the steps of the demo play. All clients are closed at its end, however it ends. */
export interface DemoStage {
  readonly world: DemoWorld
  readonly narrator: Narrator
  producer(properties?: Properties): Producer
  consumer(properties?: Properties): Consumer
}
