/** The numbers of the fields of OTLP's messages. */

export const metricsData = { resourceMetrics: 1 } as const
export const resourceMetrics = { resource: 1, scopeMetrics: 2 } as const
export const resource = { attributes: 1 } as const
export const scopeMetrics = { scope: 1, metrics: 2 } as const
export const scope = { name: 1, version: 2 } as const
export const metric = { name: 1, description: 2, unit: 3, gauge: 5, sum: 7 } as const
/** Of a gauge and of a sum, which alone has the others. */
export const points = { dataPoints: 1, temporality: 2, isMonotonic: 3 } as const
export const point = { startNanos: 2, atNanos: 3, double: 4, integer: 6, attributes: 7 } as const
export const keyValue = { key: 1, value: 2 } as const
export const anyValue = { text: 1, bool: 2, integer: 3, double: 4 } as const

export const temporality = { delta: 1, cumulative: 2 } as const
