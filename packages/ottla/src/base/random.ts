/** A source of numbers in [0, 1); tests pass a seeded one. */
export type Random = () => number

/** The platform's own random numbers. */
export const systemRandom: Random = Math.random
