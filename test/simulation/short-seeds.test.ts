import { describeSeeds } from './seed-suite.ts'

describeSeeds('short', 'everything goes wrong at once, for a few heights')
