import { EmbeddedCluster } from '@ottla/broker'
import { describe } from 'node:test'
import { recreatedTopicScenarios } from '../behaviour/recreated-topic.ts'

for (const release of ['4.3', '3.9'] as const) {
  describe(`a topic made anew (${release})`, () => {
    recreatedTopicScenarios(() => EmbeddedCluster.start({ as: release }))
  })
}
