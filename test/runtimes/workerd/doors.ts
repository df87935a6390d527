/** The ports that workerd listens on for this worker, and who answers at each: a test opens one and lets go of it again. */

type Answer = (request: Request) => Response | Promise<Response>

/** As the configuration has given them, filled in by the bundle. */
declare const DOORS: readonly number[]

const answers = new Map<number, Answer>()

/** @param port - 0 for one that is free. @returns the port */
export const openDoor = (port: number, answer: Answer): number => {
  const taken = port === 0 ? DOORS.find((door) => !answers.has(door)) : port
  if (taken === undefined || !DOORS.includes(taken) || answers.has(taken))
    throw new Error(`there is no free door ${port}: workerd was given ${DOORS.length} of them`)
  answers.set(taken, answer)
  return taken
}

export const closeDoor = (port: number): void => void answers.delete(port)

/** workerd goes on listening where nobody is any more: what comes there is broken off. */
export const answerAt = (port: number, request: Request): Response | Promise<Response> =>
  answers.get(port)?.(request) ?? brokenOff()

/** An answer that ends in the middle. */
export const brokenOff = (): Response =>
  new Response(
    new ReadableStream({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode('{'))
        controller.error(new Error('the connection is broken off, as the test says'))
      },
    }),
  )
