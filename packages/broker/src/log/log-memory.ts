/** The memory of all logs of a cluster, bytes. */
export class LogMemory {
  used = 0
}
