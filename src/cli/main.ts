#!/usr/bin/env -S node --max-semi-space-size=32
/**
 * The program `tautline`.
 *
 * Transactions live for some blocks, longer than V8 expects of the young: with 32 MiB instead of 16 for them, a
 * node under load spends a tenth less of its main thread on moving them about.
 */
import { run } from './program.ts'
import { processTerminal } from './terminal.ts'

process.exitCode = await run(process.argv.slice(2), processTerminal())
