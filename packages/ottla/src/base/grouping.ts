/** Adds a value to the group of its key. */
export function addToGroup<K, V>(groups: Map<K, V[]>, key: K, value: V): void {
  const group = groups.get(key)
  if (group === undefined) groups.set(key, [value])
  else group.push(value)
}

/** Values by key; keys in the order of their first appearance, values in that of the items. */
export function groupBy<T, K, V>(items: Iterable<T>, keyOf: (item: T) => K, valueOf: (item: T) => V): Map<K, V[]> {
  const groups = new Map<K, V[]>()
  for (const item of items) addToGroup(groups, keyOf(item), valueOf(item))
  return groups
}

/** What requests want most often: partitions by topic, in the order of their first appearance. */
export function groupByTopic<T extends { readonly topic: string }, P>(
  items: Iterable<T>,
  toPartition: (item: T) => P,
): { name: string; partitions: P[] }[] {
  const groups = groupBy(items, item => item.topic, toPartition)
  return Array.from(groups, ([name, partitions]) => ({ name, partitions }))
}
