export { AdminClient } from './admin/admin.ts'
export * from './errors.ts'
