import type { Message } from '../message.ts'

/** What every message needs beside its type and body. */
export type Heading = Pick<
  Message,
  | 'id'
  | 'from'
  | 'to'
  | 'thid'
  | 'pthid'
  | 'created_time'
  | 'expires_time'
  | 'from_prior'
  | 'return_route'
  | 'attachments'
>
