/**
 * `true` if the types are the same, not only assignable to each other: `void (true satisfies Same<A, B>)`. Without
 * checks at run time: the compiler is what runs these tests.
 */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
