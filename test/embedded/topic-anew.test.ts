import { EmbeddedCluster } from '@ottla/broker'
import { describe } from 'node:test'
import { topicAnewScenarios } from '../behaviour/topic-anew.ts'

for (const release of ['4.3', '3.9'] as const) {
  describe(`a topic made anew (${release})`, () => {
    topicAnewScenarios(() => EmbeddedCluster.start({ as: release }))
  })
}
