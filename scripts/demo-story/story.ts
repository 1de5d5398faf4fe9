import { tellOfTheDaemon } from './daemon.ts';
import { tellOfTheGuestApplication } from './guest-application.ts';
import { tellOfAlice } from './person.ts';
import type { Deployment } from './processes.ts';
import { Stage } from './stage.ts';

/**
 * The main job, told over HTTP and by the command line alone: no consent, no token; the token does what was consented
 * to and no more; what is withdrawn is refused at once.
 * @throws StoryError at the first step that comes out otherwise
 */
export async function tellStory(deployment: Deployment, say: (line: string) => void): Promise<void> {
  const stage = new Stage(deployment, say);
  await tellOfTheDaemon(stage);
  await tellOfAlice(stage);
  await tellOfTheGuestApplication(stage);
}
