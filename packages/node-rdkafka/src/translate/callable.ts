/** Classes that programs may call without `new`, as node-rdkafka's. */

/** @returns the class, as what programs see of it */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- it is what programs see
export function callable<Target extends object>(C: new (...args: never[]) => object): Target {
  const apply = (_: unknown, __: unknown, args: unknown[]): object => Reflect.construct(C, args) as object
  // Its type says what it can do besides: be called.
  return new Proxy(C, { apply }) as unknown as Target
}
