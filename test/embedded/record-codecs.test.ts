import { EmbeddedCluster } from '@ottla/broker'
import { recordCodecScenarios } from '../behaviour/record-codecs.ts'

recordCodecScenarios(() => EmbeddedCluster.start())
