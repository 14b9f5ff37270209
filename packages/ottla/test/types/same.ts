/** Checks of types, which the compiler runs. */

/** `true` if the types are the same: two types that nothing can tell apart, not only assignable to each other. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the compiler compares the functions
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** `exactly<Order | null>()(value)` compiles only if the value has this type, no more and no less. */
export function exactly<T>(): <V>(value: V, ...same: Same<V, T> extends true ? [] : [never]) => void {
  return () => undefined
}

/** `check(value satisfies Order)` uses the value. */
export function check(..._values: unknown[]): void {
  // The compiler has checked them.
}
