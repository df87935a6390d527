/** Pages that are worth anything forbid `eval`, and zod would try it: this must run before any schema is made. */
import { config } from 'zod'

config({ jitless: true })
