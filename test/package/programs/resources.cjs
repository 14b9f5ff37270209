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
  look(0)
}

// A destroyed socket's handle is let go of in one of the next turns of the event loop. The pipe is standard output.
function look(turn) {
  const left = process.getActiveResourcesInfo().filter(resource => resource !== 'PipeWrap' && resource !== 'Immediate')
  if (left.length > 0 && turn < 5) setImmediate(look, turn + 1)
  else console.log(JSON.stringify(left))
}

main()
