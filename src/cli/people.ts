import { getUsers } from '../authorization/catalogue/users.ts';
import type { User } from '../vocabulary/objects.ts';
import { CommandError } from './rooms.ts';
import type { Tenancy } from './tenancy.ts';

/** The people of a tenant, by id and by name. */
export class People {
  readonly #users: readonly User[];

  private constructor(users: readonly User[]) {
    this.#users = users;
  }

  static async of(tenancy: Tenancy): Promise<People> {
    return new People(await tenancy.list(getUsers));
  }

  /** @throws CommandError */
  named(userPrincipalName: string): User {
    const wanted = userPrincipalName.toLowerCase();
    const found = this.#users.find((user) => user.userPrincipalName.toLowerCase() === wanted);
    if (!found) throw new CommandError(`There is no user ${userPrincipalName} in this organization.`);
    return found;
  }

  /** The name of a person who is still there, else the id. */
  nameOf(id: string): string {
    return this.#users.find((user) => user.id === id)?.userPrincipalName ?? id;
  }
}
