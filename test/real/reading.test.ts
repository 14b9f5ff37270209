/** librdkafka, kcat and Java's consumer read from Kafka what we have written there. */
import { after } from 'node:test'
import type { Peer } from '../foreign/peer.ts'
import { java, librdkafka } from '../foreign/programs.ts'
import { hasKcat, kcat, peerReader, readingScenarios } from '../foreign/reading.ts'
import { sharedKafka } from '../harness/shared.ts'

let peers: { readonly java: Peer; readonly librdkafka: Peer } | undefined

after(async () => {
  await peers?.java.close()
  await peers?.librdkafka.close()
})

const started = (): NonNullable<typeof peers> => {
  if (peers === undefined) throw new Error('the clients have not been started')
  return peers
}

readingScenarios(
  async () => {
    const kafka = await sharedKafka('single')
    peers = { java: await java(kafka.bootstrapServers), librdkafka: await librdkafka(kafka.bootstrapServers) }
    return kafka
  },
  {
    librdkafka: peerReader(() => started().librdkafka),
    "Java's consumer": peerReader(() => started().java),
    // Debian's package; .ci/run installs it where that can be done.
    ...(hasKcat ? { kcat } : {}),
  },
)
