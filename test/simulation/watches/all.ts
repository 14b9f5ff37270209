/** Everything that is judged by what goes over the wire. */
import { WireWatch } from './wire-watch.ts'
import type { Watched } from './watched.ts'
import { ClassicJudge } from './classic-members.ts'
import { FencingJudge } from './fencing.ts'
import { FetchJudge } from './fetch-sessions.ts'
import { HeartbeatJudge } from './heartbeats.ts'
import { SequenceJudge } from './sequences.ts'
import { ThrottleJudge } from './throttles.ts'

export function watchWire(world: Watched): { readonly members: ClassicJudge } {
  const members = new ClassicJudge(world)
  new WireWatch(world, [
    members,
    new FencingJudge(world),
    new FetchJudge(world),
    new HeartbeatJudge(world),
    new SequenceJudge(world),
    new ThrottleJudge(world),
  ])
  return { members }
}
