import { describe } from 'node:test'
import { javaClientScenarios } from '../behaviour/java-clients.ts'

// With those of Kafka 3.9.1 in test/nightly.
describe("with Java's clients of Kafka 4.3.1", () => javaClientScenarios('single'))
