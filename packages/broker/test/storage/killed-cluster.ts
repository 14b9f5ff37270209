/** A cluster in a process of its own, which a test kills. */
import { EmbeddedCluster } from '../../src/index.ts'

const [folder = ''] = process.argv.slice(2)
const cluster = await EmbeddedCluster.start({ dataDir: folder, defaultPartitions: 1 })
try {
  cluster.createTopic('t', { partitions: 1 })
} catch {
  // It exists from the previous run.
}
console.log(cluster.bootstrapServers)
