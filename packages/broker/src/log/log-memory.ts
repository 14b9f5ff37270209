/** Bytes of records in all logs of a cluster together. */
export class LogMemory {
  used = 0
}
