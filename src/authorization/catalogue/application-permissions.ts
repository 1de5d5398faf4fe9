/** Permissions by which applications and service principals are read: they are two sides of one thing. */
export const READ = [
  'Application.Read.All',
  'Application.ReadWrite.All',
  'Directory.Read.All',
  'Directory.ReadWrite.All',
] as const;
const WRITE = ['Application.ReadWrite.All', 'Directory.ReadWrite.All'] as const;

export const reading = { delegated: READ, application: READ };
export const writing = { delegated: WRITE, application: WRITE };
/** For an application that is known: besides, what an application may do with those of which it is an owner (CON-18). */
export const readingOne = { delegated: READ, application: [...READ, 'Application.ReadWrite.OwnedBy'] as const };
export const writingOne = { delegated: WRITE, application: [...WRITE, 'Application.ReadWrite.OwnedBy'] as const };
