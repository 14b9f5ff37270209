import { describe } from 'node:test'
import { recreatedTopicScenarios } from '../behaviour/recreated-topic.ts'
import { sharedKafka } from '../harness/shared.ts'

for (const which of ['single', 'old'] as const) {
  describe(`a recreated topic (${which})`, () => {
    recreatedTopicScenarios(() => sharedKafka(which), { hasCommitsById: which === 'single' })
  })
}
