/** Path of the directory of a broker; there is no such directory. */
export function logDirOf(brokerId: number): string {
  return `/embedded/broker-${brokerId}`
}
