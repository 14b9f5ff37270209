import { EmbeddedCluster } from '@ottla/broker'
import { adminAnswerScenarios } from '../behaviour/admin-answers.ts'

adminAnswerScenarios(() =>
  EmbeddedCluster.start({ acls: [], superUsers: ['ANONYMOUS'], groupMinSessionTimeoutMs: 500 }),
)
