import { type AppId, type ObjectId, parseAppId, parseObjectId } from '../../src/vocabulary/ids.ts';

/** A GUID that the test made itself, as what it is. */
export const objectId = (text: string): ObjectId => known(parseObjectId(text));
export const appId = (text: string): AppId => known(parseAppId(text));

function known<Id>(id: Id | undefined): Id {
  if (id === undefined) throw new Error('Not a GUID.');
  return id;
}
