/** kafkajs's admin client. */
import { InstrumentationEmitter, type Listener } from '../observe/emitter.ts'
import { retryPlan } from '../translate/retry.ts'
import { SharedAdmin } from '../translate/shared-admin.ts'
import type { Shared } from '../translate/shared.ts'
import type { Admin, AdminConfig } from '../types/admin.ts'
import { createAcls, deleteAcls, describeAcls } from './acls.ts'
import { alterConfigs, describeConfigs } from './configs.ts'
import { adminEvents } from './events.ts'
import { deleteGroups, describeGroups, listGroups } from './groups.ts'
import { fetchOffsets, resetOffsets, setOffsets } from './group-offsets.ts'
import { alterPartitionReassignments, listPartitionReassignments } from './reassignments.ts'
import { deleteTopicRecords } from './records.ts'
import { fetchTopicOffsets, fetchTopicOffsetsByTimestamp } from './topic-offsets.ts'
import {
  createPartitions,
  createTopics,
  deleteTopics,
  describeCluster,
  fetchTopicMetadata,
  listTopics,
} from './topics.ts'

export function createAdmin(shared: Shared, { retry }: AdminConfig = {}): Admin {
  const logger = shared.logger.namespace('Admin')
  const emitter = new InstrumentationEmitter('admin', adminEvents, logger)
  const admin = new SharedAdmin(shared, retryPlan(shared.config.retry, retry), logger, emitter)
  return {
    connect: async () => {
      await admin.connect()
      emitter.emit('CONNECT', () => undefined)
    },
    disconnect: async () => {
      await admin.close()
      emitter.emit('DISCONNECT', () => undefined)
    },
    listTopics: () => listTopics(admin),
    createTopics: options => createTopics(admin, options),
    deleteTopics: options => deleteTopics(admin, options, logger),
    createPartitions: options => createPartitions(admin, options),
    fetchTopicMetadata: options => fetchTopicMetadata(admin, options),
    fetchOffsets: options => fetchOffsets(admin, options),
    fetchTopicOffsets: topic => fetchTopicOffsets(admin, topic),
    fetchTopicOffsetsByTimestamp: (topic, timestamp) => fetchTopicOffsetsByTimestamp(admin, topic, timestamp),
    describeCluster: () => describeCluster(admin),
    setOffsets: options => setOffsets(admin, options),
    resetOffsets: options => resetOffsets(admin, options),
    describeConfigs: options => describeConfigs(admin, options),
    alterConfigs: options => alterConfigs(admin, options),
    listGroups: () => listGroups(admin),
    deleteGroups: ids => deleteGroups(admin, ids),
    describeGroups: ids => describeGroups(admin, ids),
    describeAcls: filter => describeAcls(admin, filter),
    deleteAcls: options => deleteAcls(admin, options),
    createAcls: options => createAcls(admin, options),
    deleteTopicRecords: options => deleteTopicRecords(admin, options, logger),
    alterPartitionReassignments: request => alterPartitionReassignments(admin, request),
    listPartitionReassignments: request => listPartitionReassignments(admin, request),
    logger: () => logger,
    on: (eventName: string, listener: Listener) => emitter.on(eventName, listener),
    events: adminEvents,
  }
}
