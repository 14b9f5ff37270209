/** Records what is published on ottla's tracing channels while a test runs. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { TestContext } from 'node:test'
import type { ChannelPayloads } from 'ottla'

type Name = keyof ChannelPayloads
export type Step = 'start' | 'end' | 'error' | 'asyncStart' | 'asyncEnd'

export interface Published<N extends Name> {
  readonly step: Step
  readonly payload: ChannelPayloads[N]
}

const steps: readonly Step[] = ['start', 'end', 'error', 'asyncStart', 'asyncEnd']

/** Subscribes to one step of a channel until the test ends, or the returned function is called. */
export function listen<N extends Name>(
  t: TestContext,
  name: N,
  step: Step,
  listener: (payload: ChannelPayloads[N]) => void,
): () => void {
  const channel = `tracing:${name}:${step}`
  // The channel carries payloads of its name only.
  const heard = (payload: unknown): void => listener(payload as ChannelPayloads[N])
  subscribe(channel, heard)
  const end = (): void => void unsubscribe(channel, heard)
  t.after(end)
  return end
}

/** Everything on a channel from now on. */
export function record<N extends Name>(t: TestContext, name: N): Published<N>[] {
  const seen: Published<N>[] = []
  for (const step of steps) listen(t, name, step, payload => seen.push({ step, payload }))
  return seen
}

/** The payloads of operations that have ended. */
export function ended<N extends Name>(published: readonly Published<N>[]): ChannelPayloads[N][] {
  return published.filter(({ step }) => step === 'asyncEnd').map(({ payload }) => payload)
}
