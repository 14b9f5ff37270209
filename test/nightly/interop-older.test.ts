import { javaClientScenarios } from '../behaviour/java-clients.ts'

javaClientScenarios('old')
