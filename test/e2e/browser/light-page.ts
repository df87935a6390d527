/** In the page: what `tautline/verify` gives to pages. */
import { createLightClient } from '../../../src/exports/verify.ts'

const page = { createLightClient }
export type LightPage = typeof page

Object.assign(globalThis, page)
