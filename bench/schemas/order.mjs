// A record of 20 fields, as an order system might have it: text, numbers, options, an enum, an array and a map.
const text = name => ({ name, type: 'string' })
const option = (name, type) => ({ name, type: ['null', type], default: null })

export const schema = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'long' },
    text('number'),
    text('customer'),
    text('email'),
    option('phone', 'string'),
    text('street'),
    text('city'),
    text('postcode'),
    text('country'),
    { name: 'placedAt', type: 'long' },
    option('shippedAt', 'long'),
    { name: 'status', type: { type: 'enum', name: 'Status', symbols: ['PLACED', 'PAID', 'SHIPPED', 'DONE'] } },
    { name: 'quantity', type: 'int' },
    { name: 'weight', type: 'float' },
    { name: 'total', type: 'double' },
    { name: 'discount', type: 'double' },
    { name: 'isGift', type: 'boolean' },
    option('note', 'string'),
    { name: 'items', type: { type: 'array', items: 'string' } },
    { name: 'labels', type: { type: 'map', values: 'string' } },
  ],
}

export const value = {
  id: 7_345_120_344,
  number: 'A-2026-0017',
  customer: 'Zoë Lindqvist',
  email: 'zoe.lindqvist@example.com',
  phone: null,
  street: 'Storgatan 12',
  city: 'Umeå',
  postcode: '903 26',
  country: 'SE',
  placedAt: 1_795_990_000_123,
  shippedAt: 1_796_000_000_000,
  status: 'SHIPPED',
  quantity: 3,
  weight: 1.25,
  total: 349.9,
  discount: 0.05,
  isGift: true,
  note: 'Leave it at the door, please.',
  items: ['SKU-100234', 'SKU-100235', 'SKU-200001'],
  labels: { channel: 'web', campaign: 'winter' },
}
