/** The cluster's internal topics. */
export const OFFSETS_TOPIC = '__consumer_offsets'
export const TRANSACTIONS_TOPIC = '__transaction_state'
export const internalTopics: readonly string[] = [OFFSETS_TOPIC, TRANSACTIONS_TOPIC]
export const INTERNAL_TOPIC_PARTITIONS = 8
