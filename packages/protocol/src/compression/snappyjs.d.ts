/** The package has no types of its own. */
declare module 'snappyjs' {
  /** One plain snappy block; a Buffer gives a Buffer. */
  export function compress(data: Uint8Array): Uint8Array
}
