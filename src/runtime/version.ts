/** The version of this package, for runtimes that can't read its package.json; a test holds the two together. */
export const version = '0.1.0'
