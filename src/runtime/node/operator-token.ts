/** The operator's token, which the doors that act for the operator ask for; made when there is none. */
import { randomBytes } from 'node:crypto'
import type { DataFolder } from './data-folder.ts'

export const operatorToken = async (folder: DataFolder): Promise<string> => {
  const existing = await folder.readFile('operator.token')
  if (existing) return existing.trim()
  const token = randomBytes(32).toString('base64url')
  await folder.writeFile('operator.token', `${token}\n`)
  return token
}
