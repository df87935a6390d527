/** The operator's token, which the doors that act for the operator ask for; made when there is none. */
import { randomBytes } from 'node:crypto'
import type { DataFolder } from './data-folder.ts'

export const operatorToken = async (folder: DataFolder): Promise<string> => {
  const existing = (await folder.readFile('operator.token'))?.trim()
  if (existing) return existing // an empty one would let nobody in
  const token = randomBytes(32).toString('base64url')
  await folder.writeFile('operator.token', `${token}\n`)
  return token
}
