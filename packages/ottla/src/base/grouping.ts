/** Adds a value to the group of its key. */
export function addToGroup<K, V>(groups: Map<K, V[]>, key: K, value: V): void {
  const group = groups.get(key)
  if (group === undefined) groups.set(key, [value])
  else group.push(value)
}

/** Groups values by key; keys in the order of their first appearance, values in the order of the items. */
export function groupBy<T, K, V>(items: Iterable<T>, keyOf: (item: T) => K, valueOf: (item: T) => V): Map<K, V[]> {
  const groups = new Map<K, V[]>()
  for (const item of items) addToGroup(groups, keyOf(item), valueOf(item))
  return groups
}

/** Groups partitions by topic, as most requests need them, in the order of their first appearance. */
export function groupByTopic<T extends { readonly topic: string }, P>(
  items: Iterable<T>,
  toPartition: (item: T) => P,
): { name: string; partitions: P[] }[] {
  const groups = groupBy(items, item => item.topic, toPartition)
  return Array.from(groups, ([name, partitions]) => ({ name, partitions }))
}
