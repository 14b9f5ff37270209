/** Kafka's error codes that clients of librdkafka's kind have no name for. */
export const TRANSACTIONAL_ID_NOT_FOUND = 105
export const FETCH_SESSION_TOPIC_ID_ERROR = 106
