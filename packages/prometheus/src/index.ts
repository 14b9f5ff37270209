export { collectMetrics, type CollectedClient, type MetricsOptions } from './collect.ts'
