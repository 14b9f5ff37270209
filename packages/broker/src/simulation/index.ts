/** `@ottla/broker/simulation`: programs on virtual time, in a storm that a seed decides. */
export { Dice } from './dice.ts'
export type { FaultKind } from './faults.ts'
export type { Link } from './link.ts'
export type { MemorySocket } from './memory-socket.ts'
export type { HostNetwork, MemoryNetwork, NetworkObserver, Way } from './memory-network.ts'
export { simulate, type SimulatedHost, type Simulation, type SimulationOptions } from './simulation.ts'
export type { Fault, StormOptions } from './storm.ts'
export type { VirtualClock } from './virtual-time.ts'
