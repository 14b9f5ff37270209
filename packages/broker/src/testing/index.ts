/** `@ottla/broker/testing`: clusters for test files, closed by the test runner, and helpers that wait instead of sleeping. */
export { eventually, type EventuallyOptions } from './eventually.ts'
export { KafkaContainer, StartedKafkaContainer, type ExposedPort } from './kafka-container.ts'
export type { RunnerHooks } from './runner-hooks.ts'
export { sharedCluster, startSharedCluster, type SharedCluster, type SharedTestOptions } from './shared-cluster.ts'
export type { TestTopic, TestTopics } from './topics.ts'
export type { TestCluster } from './test-cluster.ts'
export { simulatedCluster, startTestCluster, testCluster, type TestClusterOptions } from './start.ts'
export type { CommittedWait, GroupWait, MessagesWait, WaitOptions } from './waits.ts'
