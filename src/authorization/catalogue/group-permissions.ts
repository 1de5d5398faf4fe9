const READ = ['Group.Read.All', 'Group.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'] as const;
export const READ_MEMBERS = ['GroupMember.Read.All', 'GroupMember.ReadWrite.All', ...READ] as const;
const READ_MEMBERSHIP = ['User.Read.All', 'User.ReadWrite.All', ...READ_MEMBERS] as const;

/** For what a person is a member of. */
export const membership = {
  delegated: READ_MEMBERSHIP,
  application: READ_MEMBERSHIP,
  own: ['User.Read', 'User.ReadWrite'],
} as const;
