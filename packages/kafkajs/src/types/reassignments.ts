/** Which brokers have the replicas of partitions, and are about to have them. */
export interface ReplicaAssignment {
  partition: number
  replicas: number[]
}

/** The partitions of one topic that get other replicas. */
export interface PartitionReassignment {
  topic: string
  partitionAssignment: ReplicaAssignment[]
}

/** A partition whose replicas are being moved: all of them, those that come and those that go. Broker ids. */
export interface OngoingPartitionReassignment {
  partitionIndex: number
  replicas: number[]
  addingReplicas?: number[]
  removingReplicas?: number[]
}

/** The partitions of one topic that are being moved. */
export interface OngoingTopicReassignment {
  topic: string
  partitions: OngoingPartitionReassignment[]
}

/** What `admin.listPartitionReassignments` resolves with. */
export interface ListPartitionReassignmentsResponse {
  topics: OngoingTopicReassignment[]
}
