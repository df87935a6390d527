/** In place of `api/slow-reader.ts`: workerd reads on from a socket that is paused, so that a reader outside reads slowly. */
/** The node and all tests share one thread here, so that it takes longer to notice. */
const patience = 5

declare const OUTSIDE: string

export const readSlowly = async (port: number, path: string, pauseMs: number): Promise<unknown> => {
  const answer = await fetch(OUTSIDE, {
    method: 'POST',
    body: JSON.stringify([port, path, patience * pauseMs]),
  })
  return answer.json()
}
