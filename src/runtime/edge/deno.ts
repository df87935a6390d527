/** The edge function for Deno Deploy, or wherever `deno serve` runs: it may reach the network and read one variable, no more. */
import edge from './edge.ts'

export default {
  fetch: (request: Request): Promise<Response> => {
    const { TAUTLINE_ORIGINS = '' } = process.env
    return edge.fetch(request, { TAUTLINE_ORIGINS }, { waitUntil: () => undefined })
  },
}
