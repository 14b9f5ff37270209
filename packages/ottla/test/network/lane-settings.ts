import type { LaneSettings } from '../../src/network/lane.ts'
import { systemNetwork } from '../../src/network/network.ts'

/** Settings of a lane with a short backoff. */
export const laneSettings: LaneSettings = {
  connection: {
    clientId: 'test',
    transport: {
      network: systemNetwork,
      recorder: null,
      tls: null,
      family: 0,
      useAllAddresses: true,
      keepAlive: false,
      noDelay: true,
    },
    maxFrameBytes: 100_000,
    maxFails: 1,
    maxIdleMs: 0,
  },
  handshake: {
    apiVersionTimeoutMs: 2000,
    authTimeoutMs: 2000,
    softwareName: 'ottla',
    softwareVersion: '0',
    mechanism: null,
  },
  setupTimeoutMs: 5000,
  reconnectBackoffMs: 5,
  reconnectBackoffMaxMs: 10,
}
