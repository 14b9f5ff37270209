/** This library's version, as in its package.json. A test keeps the two equal. */
export const libraryVersion = '0.1.0'
