import { describe } from 'node:test'
import { topicAnewScenarios } from '../behaviour/topic-anew.ts'
import { sharedKafka } from '../harness/shared.ts'

for (const which of ['single', 'old'] as const) {
  describe(`a topic made anew (${which})`, () => {
    topicAnewScenarios(() => sharedKafka(which))
  })
}
