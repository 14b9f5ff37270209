import { EmbeddedCluster } from '@ottla/broker'
import { describe } from 'node:test'
import { recreatedTopicScenarios } from '../behaviour/recreated-topic.ts'

for (const release of ['4.3', '3.9'] as const) {
  describe(`a recreated topic (${release})`, () => {
    recreatedTopicScenarios(() => EmbeddedCluster.start({ as: release }), { hasCommitsById: release === '4.3' })
  })
}
