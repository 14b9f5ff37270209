/** `localhost:9092`, `[::1]:9092`: as tables show an address. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
