#!/usr/bin/env -S MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=262144 MALLOC_TRIM_THRESHOLD_=1048576 node --max-semi-space-size=32 --v8-pool-size=0
/**
 * The program `tautline`.
 *
 * The first line says how to start it. By itself glibc gives each of a dozen threads a heap of its own and
 * hardly ever returns one: 150 MB at a million accounts. Transactions live for some blocks, longer than V8
 * expects of the young: with 32 MiB instead of 16 for them, a node under load spends a tenth less of its main
 * thread on moving them about. V8's own four threads, which collect garbage and compile beside the main one, cost
 * a node on two cores a tenth to a fifth more CPU than they take off it.
 */
import { run } from './program.ts'
import { processTerminal } from './terminal.ts'

process.exitCode = await run(process.argv.slice(2), processTerminal())
