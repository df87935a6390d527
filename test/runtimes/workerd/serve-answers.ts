/** In place of `api/serve-answers.ts`, at a door of workerd. */
import { onTestFinished } from 'vitest'
import type { Answer } from '../../api/serve-answers.ts'
import { brokenOff, closeDoor, openDoor } from './doors.ts'

export const serveAnswers = async (
  answer: (path: string) => Promise<Answer | undefined>,
): Promise<string> => {
  const door = openDoor(0, async (request) => {
    const { pathname, search } = new URL(request.url)
    const given = await answer(pathname + search)
    if (!given) return brokenOff()
    return new Response(given.text, { status: given.status, headers: { 'content-type': 'application/json' } })
  })
  onTestFinished(() => closeDoor(door))
  return `http://127.0.0.1:${door}`
}
