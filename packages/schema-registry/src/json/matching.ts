/** Bipartite matching: how many of one side can each have one of the other for itself. */

/** @param fitting of each of one side, those of the other that fit */
export function largestMatching(fitting: readonly (readonly number[])[]): number {
  const owner = new Map<number, number>()
  const isPlaced = (one: number, tried: Set<number>): boolean => {
    for (const other of fitting[one] ?? []) {
      if (tried.has(other)) continue
      tried.add(other)
      const current = owner.get(other)
      if (current === undefined || isPlaced(current, tried)) {
        owner.set(other, one)
        return true
      }
    }
    return false
  }
  return fitting.filter((_, one) => isPlaced(one, new Set())).length
}
