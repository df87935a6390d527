/** In place of the command line, which is a program of Node, Deno and Bun. */
export const run = (): never => {
  throw new Error('there is no command line in workerd')
}
