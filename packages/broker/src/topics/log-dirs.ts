/** The path that a broker reports as its log directory. No such directory exists. */
export function logDirOf(brokerId: number): string {
  return `/embedded/broker-${brokerId}`
}
