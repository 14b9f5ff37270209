import { roundTrip } from './round-trip.ts'

void roundTrip(['none', 'gzip', 'snappy', 'lz4', 'zstd']).then(read => console.log(`read ${read.join(' ')}`))
