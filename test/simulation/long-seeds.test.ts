import { describeSeeds } from './seed-suite.ts'

describeSeeds('long', 'a hundred heights in changing weather')
