/** Topics and ACLs. When a call is for several things, what a broker refuses is the `error` of that one's result. */
import { AdminClient, ErrorCode } from 'ottla'
import { fresh, openCluster } from './cluster.ts'

const cluster = await openCluster()
const admin = new AdminClient({ 'bootstrap.servers': cluster.bootstrapServers })
const topic = fresh('invoices')

const { clusterId, nodes } = await admin.describeCluster()
console.log(`cluster ${clusterId ?? ''}: ${nodes.map(n => `${n.host}:${n.port}`).join(', ')}`)

const config = { 'retention.ms': 86_400_000 }
for (const attempt of ['first', 'second']) {
  const [result] = await admin.createTopics([{ topic, numPartitions: 3, config }])
  console.log(`${attempt} attempt: ${result?.error === undefined ? `created ${topic}` : result.error.message}`)
  if (attempt === 'second' && result?.error?.code !== ErrorCode.ERR_TOPIC_ALREADY_EXISTS) process.exitCode = 1
}
await admin.createPartitions([{ topic, increaseTo: 5 }])

const [description] = await admin.describeTopics([topic])
for (const p of description?.partitions ?? []) console.log(`partition ${p.partition}: leader ${p.leader}`)

const ends = await admin.listOffsets([{ topic, partition: 0, spec: 'latest' }])
console.log(`partition 0 ends at ${ends[0]?.offset ?? -1}`)

const [acl] = await admin.createAcls([
  {
    resourceType: 'topic',
    name: topic,
    resourcePatternType: 'literal',
    principal: 'User:alice',
    host: '*',
    operation: 'write',
    permissionType: 'allow',
  },
])
if (acl?.error === undefined) {
  for (const rule of await admin.describeAcls({ resourceType: 'topic', name: topic })) {
    console.log(`${rule.principal} may ${rule.operation} ${rule.name}`)
  }
  const [gone] = await admin.deleteAcls([{ resourceType: 'topic', name: topic }])
  console.log(`${gone?.bindings.length ?? 0} rule deleted`)
} else {
  console.log(`this cluster has no ACLs: ${acl.error.message}`)
}

await admin.deleteTopics([topic])
await admin.close()
await cluster.close()
