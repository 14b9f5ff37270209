// Uses and closes one client of each kind, then tells what is left. Nothing here ends the process.
const { AdminClient, Consumer, Producer } = require('ottla')

const settings = { 'bootstrap.servers': process.argv[2] }
const topic = 'resources'

async function main() {
  const admin = new AdminClient(settings)
  await admin.createTopics([{ topic, numPartitions: 2 }])
  const producer = new Producer(settings)
  const shared = AdminClient.from(producer)
  await shared.describeTopics([topic])
  await producer.send({ topic, value: 'a' })
  producer.produce({ topic, value: 'b' })
  const consumer = new Consumer({ ...settings, 'group.id': 'resources', 'auto.offset.reset': 'earliest' })
  consumer.subscribe(topic)
  await consumer.readMessage(20_000)
  await consumer.readMessage(20_000)
  await Promise.all([consumer.close(), shared.close(), admin.close()])
  await producer.close()
  // The sockets' handles are let go of in the turn after they were closed.
  setImmediate(() => console.log(JSON.stringify(process.getActiveResourcesInfo())))
}

main()
