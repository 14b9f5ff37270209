/** An address for errors and logs: `localhost:9092`, `[::1]:9092`. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
