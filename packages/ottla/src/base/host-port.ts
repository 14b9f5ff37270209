/** `localhost:9092`, `[::1]:9092`: as errors and logs name an address. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
